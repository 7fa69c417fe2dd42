# frozen_string_literal: true

require "json"
require "open3"
require "rbconfig"

##
# Runs Ruby in a process of its own, for whatever depends on what is loaded and in which order.
module RubyProcess
  LIB = File.expand_path("../../lib", __dir__)

  # The script's `answer(object)` is returned, having gone through JSON.
  # @param script [String]
  # @param env [Hash{String => String, nil}] added to the environment
  # @raise [RuntimeError] with the output when the script fails
  def run_ruby(script, env = {})
    prelude = "require 'json'; def answer(object) = puts('ANSWER ' + JSON.generate(object))\n"
    out, status = Open3.capture2e(env, RbConfig.ruby, "-I#{LIB}", "-", stdin_data: prelude + script)
    raise "the script ended with #{status.exitstatus}:\n#{out}" unless status.success?

    answer = out.lines.grep(/\AANSWER /).last or raise "the script gave no answer:\n#{out}"
    JSON.parse(answer.delete_prefix("ANSWER "))
  end
end
