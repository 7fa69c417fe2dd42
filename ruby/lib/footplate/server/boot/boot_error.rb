# frozen_string_literal: true

require "footplate"

module Footplate
  module Server
    # Why this process cannot start, in a sentence for the operator. Shown without a backtrace: it is about
    # flags, files and settings, not about code.
    class BootError < Error; end
  end
end
