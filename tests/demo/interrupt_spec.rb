# frozen_string_literal: true

# Ctrl-C in the middle of the demonstration, in a Redis that is somebody's: our processes end, our jobs go.
require "English"
require "tmpdir"
require_relative "../../demo/lib/demo/redis_server"

RSpec.describe "the demonstration, interrupted" do
  root = File.expand_path("../..", __dir__)
  ours = %w[queues queue:shop_critical queue:shop_default queue:shop_mailers schedule retry dead processes
            demo:expected demo:attempts demo:effects demo:lateness]

  around do |example|
    Dir.mktmpdir("footplate-demo-spec-") do |dir|
      @dir = dir
      example.run
    end
  end

  # A process group of its own, which gets the signal as a whole: so does a terminal's foreground.
  def start(root, redis)
    FileUtils.cp(File.join(root, "demo/Gemfile"), @dir)
    env = { "BUNDLE_GEMFILE" => File.join(@dir, "Gemfile"), "REDIS_URL" => redis.url,
            "FOOTPLATE_DEMO_SERVER" => File.join(root, "bin/footplate") }
    IO.popen(env, %w[ruby lib/demo/command_line.rb], chdir: File.join(root, "demo"), pgroup: true, err: %i[child out])
  end

  def ask(redis, command)
    UNIXSocket.open(redis.url.delete_prefix("unix://")) do |socket|
      socket.write("#{command}\r\n")
      socket.gets.chomp
    end
  end

  it "says so, and leaves neither processes nor jobs" do
    redis = Demo::RedisServer.new(log: File::NULL)
    demo = start(root, redis)
    lines = demo.each_line.take_while { |line| !line.include?("jobs done") }
    expect(lines).to include(/\AStarted /)
    expect(ask(redis, "EXISTS #{ours.join(" ")}")).not_to eq(":0")

    Process.kill("INT", -demo.pid)
    said = demo.read # to the end: nobody who was started holds the pipe
    demo.close
    expect(said).to include("Interrupted; everything that was started is stopped.")
    expect($CHILD_STATUS.exitstatus).to eq(130)
    expect(ask(redis, "EXISTS #{ours.join(" ")}")).to eq(":0")
    expect(lines.join[/\(pid (\d+)\)/, 1].to_i).to satisfy("be no process") { |pid| !File.exist?("/proc/#{pid}") }
  ensure
    Process.kill("KILL", -demo.pid) if demo && !demo.closed?
    redis&.stop
  end
end
