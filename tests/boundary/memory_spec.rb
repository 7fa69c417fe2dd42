# frozen_string_literal: true

require "open3"
require "rbconfig"

# In a process of its own, where nothing else allocates.
RSpec.describe "A process that makes its memory ready" do
  lib = File.expand_path("../../ruby/lib", __dir__)

  define_method(:run) do |script|
    files = %w[footplate/native footplate/server/run/memory].flat_map { |file| ["-r", file] }
    output, errors, status = Open3.capture3(RbConfig.ruby, "-I", lib, *files, "-e", script)
    raise errors unless status.success?

    Integer(output)
  end

  it "collects no garbage before each thread has run a few jobs" do
    collected = run(<<~RUBY)
      APPLICATION = Array.new(100_000) { Object.new }
      Footplate::Server::Memory.prepare(500)
      before = GC.count
      (500 * 24).times { [Object.new, "0" * 24, {}] }
      print GC.count - before
    RUBY
    expect(collected).to eq(0)
  end

  it "gives the stack back that nothing lives in, and goes on there when it comes again" do
    skip "knows Linux's stacks only" unless RbConfig::CONFIG["host_os"].start_with?("linux")

    resident = run(<<~RUBY)
      def deep(levels)
        levels.zero? ? 0 : [1].sum { 1 + deep(levels - 1) }
      end
      reached = deep(2_000)
      Footplate::Native.give_back_stack
      stack = File.read("/proc/self/smaps")[/\\[stack\\]\\n.*?^Rss: +(\\d+)/m, 1]
      abort "the second time: \#{deep(2_000)} levels" unless deep(2_000) == reached
      print stack
    RUBY
    expect(resident).to be < 512
  end
end
