# frozen_string_literal: true

class CreateOrders < ActiveRecord::Migration[6.1]
  def change
    create_table :orders do |t|
      t.string :number, null: false, index: { unique: true }
      t.integer :total_cents, null: false
      t.string :state, null: false, default: "paid"
    end
  end
end
