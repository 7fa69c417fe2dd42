# frozen_string_literal: true

require "spec_helper"
require "support/settings_folder"

RSpec.describe Footplate::Server::SettingsCheck do
  include SettingsFolder

  it "warns of a key that is probably misspelt, and keeps it" do
    found = from("concurency: 3\nlimits: {a: 1}\nmy_own: 2\n")
    expect(found.warnings).to contain_exactly(a_string_including("concurency is no setting",
                                                                 "did you mean concurrency?"))
    expect(found.options).to include(concurency: 3, my_own: 2)
  end

  # Each number at its ends, beyond them, and as what it is not.
  most = 9_007_199_254_740_991
  { "concurrency" => [1, 10_000], "RAILS_MAX_THREADS" => [1, 10_000], "max_retries" => [0, 4_294_967_295],
    "dead_max_jobs" => [0, most], "dead_timeout_in_seconds" => [0, most], "prefetch_ms" => [0, 4_294_967_295],
    "timeout" => [0.001, 1_000_000_000], "lease_seconds" => [0.001, 1_000_000_000],
    "beat_seconds" => [0.001, 1_000_000_000], "a weight" => [0, 100_000] }.each do |name, (least, largest)|
    whole = least.is_a?(Integer)
    # @return what became of the number, or the sentence that refuses it
    become = lambda do |value, group|
      text = { "a weight" => "queues: [[a, #{value}]]", "RAILS_MAX_THREADS" => "" }.fetch(name, "#{name}: #{value}")
      group.write("config/sidekiq.yml", text)
      found = group.settings({}, name == "RAILS_MAX_THREADS" ? { name => value.to_s.delete("'") } : {})
      next found.queues.dig(0, 1) if name == "a weight"

      found.options[name == "RAILS_MAX_THREADS" ? :concurrency : name.to_sym]
    rescue Footplate::Server::BootError => e
      e.message
    end

    it "accepts #{name} from #{least} to #{largest}, as a text too" do
      [least, largest, 5].each do |value|
        expect(become.call(value, self)).to eq(value)
        expect(become.call("'#{value}'", self)).to eq(value)
      end
    end

    it "refuses another #{name} in one sentence" do
      wrong = [largest + 1, 10**400, ".inf", -1, "many", "''", "1e400", ".nan", "[1]", "{a: 1}", "true"]
      wrong << 0 unless least.zero?
      wrong << 2.5 if whole
      # Sidekiq reads a weight by to_i, and so takes all that is none for 0.
      wrong = [largest + 1, 10**400, ".inf", ".nan"] if name == "a weight"
      said = wrong.to_h { |value| [value, become.call(value, self)] }
      expect(said.values).to all(be_a(String).and(match(/\A[^\n]+\z/)))
    end
  end

  {
    "concurrency: ten" => /\Aconcurrency: "ten" is not a whole number\z/,
    "concurrency: 0" => /\Aconcurrency: 0 is not a valid value; it must be 1 or more\z/,
    "concurrency: 10001" => /\Aconcurrency: 10001 is not a valid value; it must be 10000 or less\z/,
    "timeout: 1e300" => /\Atimeout: 1e300 is not a valid value; it must be 1000000000 or less\z/,
    "timeout: -1" => /\Atimeout: -1 is not a valid value; it must be above 0\z/,
    "concurrency: 2.5" => /\Aconcurrency: 2\.5 is not a whole number\z/,
    "max_retries: many" => /\Amax_retries: "many" is not a whole number\z/,
    "dead_max_jobs: -3" => /\Adead_max_jobs: -3 is not a valid value; it must be 0 or more\z/,
    "prefetch_ms: 1.5" => /\Aprefetch_ms: 1\.5 is not a whole number\z/,
    "beat_seconds: .inf" => /\Abeat_seconds: Infinity is not a number\z/,
    "lease_seconds: soon" => /\Alease_seconds: "soon" is not a number\z/,
    "queues: [[a, .inf]]" => %r{\A\./config/sidekiq\.yml: queues: \["a", Infinity\] has a weight above 100000\z},
    "queues: [{a: 2}]" => %r{\A\./config/sidekiq\.yml: queues: .* is not a queue;},
    "capsules: [a]" => /\Acapsules must be names with settings, not Array\z/,
    "capsules: {x: {queues: a}}" => /\Acapsules: x needs both concurrency and queues\z/
  }.each do |text, sentence|
    it "refuses #{text.inspect} in one sentence" do
      write("config/sidekiq.yml", text)
      expect(refusal({ environment: "production" })).to match(sentence)
    end
  end
end
