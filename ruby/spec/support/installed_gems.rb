# frozen_string_literal: true

# Which gems this machine has, without loading them.
module InstalledGems
  def self.has?(name)
    !Gem::Specification.find_all_by_name(name).empty?
  end

  # @return [Integer, nil] 6, 7 or 8
  def self.sidekiq_major
    Gem::Specification.find_all_by_name("sidekiq").map { |spec| spec.version.segments.first }.max
  end
end
