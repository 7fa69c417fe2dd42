# frozen_string_literal: true

class Order < ActiveRecord::Base
  scope :shipped, -> { where(state: "shipped") }

  # One statement, so that many threads can ship at once without holding SQLite's write lock between two of them.
  def ship!
    self.class.where(id:).update_all(state: "shipped")
  end
end
