# frozen_string_literal: true

require "spec_helper"
require "support/boot_process"
require "footplate/server/run/systemd"

RSpec.describe Footplate::Server::Systemd do
  include BootProcess

  around do |example|
    Dir.mktmpdir do |dir|
      @path = File.join(dir, "notify")
      @socket = Addrinfo.unix(@path, :DGRAM).bind
      example.run
    end
  ensure
    @socket&.close
  end

  # Up to `count` datagrams, those that come within ten seconds.
  def received(count)
    Array.new(count) { @socket.recv(100) if @socket.wait_readable(10) }.compact
  end

  { "the gem's notifier" => "", "its own" => "without_gem!" }.each do |name, before|
    it "tells systemd of start and stop, with #{name}", sidekiq_gem: before.empty? do
      script = "#{before}\nfacade = boot({require: 'app.rb'}, notify: true).facade\n" \
               "facade.fire_event(:startup); facade.fire_event(:shutdown); answer true"
      in_application({ "app.rb" => "" }, script, "NOTIFY_SOCKET" => @path)
      expect(received(2)).to eq(%w[READY=1 STOPPING=1])
    end

    it "pings the watchdog while the application still boots, with #{name}", sidekiq_gem: before.empty? do
      script = "#{before}\nboot({require: 'app.rb'}, notify: true); answer true"
      env = { "NOTIFY_SOCKET" => @path, "WATCHDOG_USEC" => "1000000", "WATCHDOG_PID" => nil }
      in_application({ "app.rb" => "sleep 0.8" }, script, env)
      expect(received(1)).to eq(["WATCHDOG=1"])
    end
  end

  it "says nothing where nobody listens" do
    expect(in_application({ "app.rb" => "" },
                          "boot({require: 'app.rb'}, notify: true); answer Thread.list.size")).to eq(1)
  end

  describe Footplate::Server::SdNotify do
    def with_env(pairs)
      before = pairs.to_h { |name, _| [name, ENV.fetch(name, nil)] }
      pairs.each { |name, value| ENV[name] = value }
      yield
    ensure
      before.each { |name, value| ENV[name] = value }
    end

    it "expects a watchdog only when it is meant" do
      { "5" => true, "0" => false, "x" => false, nil => false }.each do |usec, expected|
        with_env("WATCHDOG_USEC" => usec, "WATCHDOG_PID" => nil) { expect(described_class.watchdog?).to be(expected) }
      end
      with_env("WATCHDOG_USEC" => "5", "WATCHDOG_PID" => "1") { expect(described_class.watchdog?).to be(false) }
      with_env("WATCHDOG_USEC" => "5", "WATCHDOG_PID" => Process.pid.to_s) do
        expect(described_class.watchdog?).to be(true)
      end
    end

    it "never raises" do
      with_env("NOTIFY_SOCKET" => nil) { expect(described_class.ready).to be(false) }
      with_env("NOTIFY_SOCKET" => "/nowhere") { expect(described_class.ready).to be(false) }
    end
  end
end
