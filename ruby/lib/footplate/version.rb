# frozen_string_literal: true

module Footplate
  VERSION = "0.1.0"
end
