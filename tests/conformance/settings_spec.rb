# frozen_string_literal: true

require_relative "support/conformance"

# Flags, files and the environment, by what the running server says of itself.
Conformance.describe "settings" do
  files = {
    "config/footplate.yml" => ":labels: [ours]\n",
    "other.yml" => ":queues: [only]\n",
    "labels.yml" => ":labels: solo\n:queues: [[a, 2], 'b,3', c]\n",
    "config/sidekiq.yml" => <<~YAML
      <% three = 3 -%>
      :concurrency: <%= three %>
      :timeout: 11
      :labels: [theirs]
      :my_own: { "nested": { "key": 1 } }
      :base: &base
        :concurrency: 4
      staging:
        <<: *base
        :scheduler: { enabled: true }
      production:
        :concurrency: 9
      :queues:
        - first
        - [second, 2]
    YAML
  }

  app <<~'RUBY', files: files
    look = ->(key) { Sidekiq.respond_to?(:default_configuration) ? Sidekiq.default_configuration[key] : Sidekiq.options[key] }
    Sidekiq.configure_server do |config|
      config.on(:startup) { effect("queues", look.call(:queues)) }
      config.on(:startup) { effect("kept", look.call(:scheduler), look.call(:my_own), look.call(:timeout)) }
    end
  RUBY

  def told(*flags, **options)
    server = start(*flags, **options)
    info = JSON.parse(redis.call("HGET", identity(server), "info"))
    server.stop
    info
  end

  it "come from the file, by its environment" do
    info = told("-e", "staging")
    expect(info).to include("concurrency" => 4, "queues" => %w[first second], "labels" => ["ours"])
    expect(effects("kept")).to eq([[{ "enabled" => true }, { "nested" => { "key" => 1 } }, 11]])
  end

  it "come from flags before files, from files before RAILS_MAX_THREADS, from that before nothing" do
    expect(told("-c", "2", "-q", "flag",
                env: { "RAILS_MAX_THREADS" => "7" })).to include("concurrency" => 2, "queues" => ["flag"])
    expect(told(env: { "RAILS_ENV" => "production", "RAILS_MAX_THREADS" => "7" })).to include("concurrency" => 9)
    expect(told("-C", "other.yml",
                env: { "RAILS_MAX_THREADS" => "7" })).to include("concurrency" => 7, "queues" => ["only"])
    default = generation?("7") ? 5 : 10
    expect(told("-C", "other.yml")).to include("concurrency" => default, "labels" => [])
  end

  it "may name one label, and are read back as they were written" do
    expect(told("-C", "labels.yml")["labels"]).to eq(["solo"])
    written = [["a", 2], "b,3", "c"]
    # 6 writes each queue as often as its weight says.
    expect(effects("queues").last).to eq([generation?("7") ? written : %w[a a b b b c]])
  end

  it "take OptionParser's forms, and queues as a hash" do
    write("hash.yml", ":queues:\n  critical: 3\n  default: 1\n")
    info = told("-l", "log/sidekiq.log", "--CONC", "010", "-C", "hash.yml")
    expect(info).to include("concurrency" => 8, "queues" => %w[critical default])
    # From 7 on, one hash for each capsule.
    weights = [info["weights"]].flatten.compact.reduce({}, :merge)
    expect(weights).to eq("critical" => 3, "default" => 1)
  end

  it "name the environment by -e, APP_ENV, RAILS_ENV and RACK_ENV, in this order" do
    expect(told(env: { "APP_ENV" => "production", "RAILS_ENV" => "staging" })["concurrency"]).to eq(9)
    expect(told(env: { "RACK_ENV" => "staging" })["concurrency"]).to eq(4)
    expect(told("-e", "other", env: { "RAILS_ENV" => "staging" })["concurrency"]).to eq(3)
  end

  it "name the host by DYNO, and Redis by the variable that REDIS_PROVIDER names" do
    info = told(env: { "DYNO" => "worker.3", "REDIS_PROVIDER" => "MY_REDIS", "MY_REDIS" => redis.url,
                       "REDIS_URL" => "unix:///no" })
    expect(info["hostname"]).to eq("worker.3")
  end
end
