# frozen_string_literal: true

require_relative "support/conformance"

# Gems that reach into the server.
Conformance.describe "sidekiq-cron", needs: "sidekiq-cron" do
  app <<~'RUBY'
    require "sidekiq-cron"
    class Ticks
      include JobModule
      def perform(*args) = effect("tick", args)
    end
    Sidekiq.configure_server do |config|
      config.on(:startup) do
        # Its poller looks after 15 to 45 s again, should the first look fall into the second in which the job is made.
        %i[poll_interval poll_interval_average cron_poll_interval].each { |key| Sidekiq.options[key] = 1 } if Sidekiq.respond_to?(:options)
        Sidekiq::Cron::Job.create(name: "ticks", cron: "* * * * * *", class: "Ticks", args: ["each second"])
      end
    end
  RUBY

  scenario do
    start
    # Its poller waits up to 5 s before it looks for the first time.
    eventually("the first tick", within: 30) { effects("tick").any? }
    @code = server.stop
  end

  it "enqueues by its poller, which the launcher starts and stops" do
    expect(effects("tick").uniq).to eq([[["each second"]]])
    expect(@code).to eq(0)
    expect(server.stop_seconds).to be < 5
  end
end

Conformance.describe "sentry-sidekiq", needs: "sentry-sidekiq" do
  app <<~'RUBY'
    require "sentry-ruby"
    require "sentry-sidekiq"
    class Told < Sentry::Transport
      def send_event(event)
        fields = event.respond_to?(:to_h) ? event.to_h : event.to_hash # until Sentry 6
        effect("event", fields.dig(:exception, :values).first[:value], fields[:transaction].to_s, fields[:tags])
      end
    end
    Sentry.init do |config|
      config.dsn = "http://12345:67890@sentry.invalid/42"
      config.transport.transport_class = Told
      config.background_worker_threads = 0
      quiet = Logger.new(File::NULL)
      config.respond_to?(:sdk_logger=) ? config.sdk_logger = quiet : config.logger = quiet # until Sentry 5
    end
    class Wrong < Failing; end
  RUBY

  scenario do
    push("Wrong", 1, queue: "default", jid: "told")
    start
    drained
    @code = server.stop
  end

  it "hears of failures through its middleware and error handler" do
    expect(effects("event").size).to eq(1)
    expect(effects("event").first[0]).to include("boom 1")
    expect(effects("event").first[1]).to include("Wrong")
    expect(effects("event").first[2]).to include("jid" => "told")
    expect(@code).to eq(0)
  end
end
