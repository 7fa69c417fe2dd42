# frozen_string_literal: true

require "json"
require "open3"
require "rbconfig"
require "tmpdir"
require_relative "void"

module Footplate
  module Bench
    ##
    # A Ruby program that measures something by itself and prints it as JSON in its last line. In a process of its own:
    # the objects of whoever asks would slow its garbage collector.
    module Program
      # @param path [String]
      # @param env [Hash{String => String}] besides BENCH_DIR, an empty folder
      # @yieldparam dir [String] that folder, before it is removed
      # @return [Hash{Symbol => Object}]
      # @raise [Void] if it failed
      def self.run(path, env = {})
        Dir.mktmpdir("footplate-bench") do |dir|
          output, status = Open3.capture2e(env.merge("BENCH_DIR" => dir), RbConfig.ruby, path)
          raise Void, "#{File.basename(path)} failed (#{status})\n#{output}" unless status.success?

          yield dir if block_given?
          JSON.parse(output.lines.last, symbolize_names: true)
        end
      end
    end
  end
end
