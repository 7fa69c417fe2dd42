# frozen_string_literal: true

require_relative "../../ruby/lib/footplate/bench"

module SideBySide
  # What `footplate bench` measures with as well.
  Bench = Footplate::Bench
end
