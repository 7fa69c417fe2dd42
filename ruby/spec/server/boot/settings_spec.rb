# frozen_string_literal: true

require "spec_helper"
require "footplate/server/boot/settings"
require "tmpdir"

RSpec.describe Footplate::Server::Settings do
  around { |example| Dir.mktmpdir { |dir| Dir.chdir(dir) { example.run } } }

  def write(path, text)
    FileUtils.mkdir_p(File.dirname(path))
    File.write(path, text)
  end

  def settings(typed = {}, env = {})
    described_class.new(typed, env: env)
  end

  def refusal(typed = {}, env = {})
    settings(typed, env)
    raise "nothing was refused"
  rescue Footplate::Server::BootError => e
    e.message
  end

  it "says only what was said" do
    expect(settings.options).to eq(queues: ["default"])
    expect(settings.concurrency).to be_nil
    expect(settings.require_path).to eq(".")
    expect(settings.files).to be_empty
  end

  describe "the environment" do
    it "is -e, then APP_ENV, RAILS_ENV, RACK_ENV, then development" do
      env = { "APP_ENV" => "app", "RAILS_ENV" => "rails", "RACK_ENV" => "rack" }
      expect(settings({ environment: "typed" }, env).environment).to eq("typed")
      expect(settings({}, env).environment).to eq("app")
      expect(settings({}, env.slice("RAILS_ENV", "RACK_ENV")).environment).to eq("rails")
      expect(settings({}, env.slice("RACK_ENV")).environment).to eq("rack")
      expect(settings.environment).to eq("development")
    end
  end

  describe "precedence" do
    before do
      write("config/sidekiq.yml", "concurrency: 1\ntimeout: 1\ntag: s\nlabels: [a]\nstaging:\n  timeout: 2\n  tag: e\n")
      write("config/footplate.yml", "tag: f\nlease_seconds: 30\n")
    end

    it "is flags, footplate.yml, the environment's section, the top level, RAILS_MAX_THREADS" do
      options = settings({ environment: "staging", concurrency: 9 }, "RAILS_MAX_THREADS" => "7").options
      expect(options).to include(concurrency: 9, timeout: 2, tag: "f", labels: ["a"], lease_seconds: 30)
      expect(options).not_to have_key(:staging)
    end

    it "reads RAILS_MAX_THREADS when nobody else speaks of threads" do
      File.delete("config/sidekiq.yml")
      expect(settings({}, "RAILS_MAX_THREADS" => "7").concurrency).to eq(7)
      expect(refusal({}, "RAILS_MAX_THREADS" => "many")).to eq('RAILS_MAX_THREADS: "many" is not a whole number')
    end

    it "reads the file of -C and no other" do
      write("other.yml", "timeout: 4")
      found = settings({ config_file: "other.yml" })
      expect(found.files).to eq(["other.yml"])
      expect(found.options).to include(timeout: 4)
      expect(found.options).not_to have_key(:lease_seconds)
    end

    it "looks beside the application given with -r" do
      write("sub/config/sidekiq.yml.erb", "timeout: <%= 40 + 2 %>")
      expect(settings({ require: "sub" }).options[:timeout]).to eq(42)
    end
  end

  describe "files" do
    def from(text, environment = nil)
      write("config/sidekiq.yml", text)
      settings({ environment: environment }.compact)
    end

    it "may hold ERB, Symbols, aliases and keys of other gems" do
      options = from(<<~YAML, "production").options
        :concurrency: <%= 2 + 3 -%>

        :scheduler:
          :enabled: false
          nested:
            key: :value
        defaults: &defaults
          tag: shared
        production:
          <<: *defaults
          :strict: true
      YAML
      expect(options).to include(concurrency: 5, tag: "shared", scheduler: { enabled: false, nested: { key: :value } })
      expect(options).not_to have_key(:strict)
    end

    it "writes queues in any of Sidekiq's forms, and reads them back as they were written" do
      found = from("queues:\n  - critical\n  - low,2\n  - [mail, 3]\n  - :sym\n  - x,y\n")
      expect(found.queues).to eq([["critical", 0], ["low", 2], ["mail", 3], ["sym", 0], ["x", 0]])
      expect(found.options[:queues]).to eq(["critical", "low,2", ["mail", 3], :sym, "x,y"])
      expect(from("queues: only").queues).to eq([["only", 0]])
    end

    it "writes queues as a hash, also of a capsule" do
      expect(from("queues: {critical: 3, default: 1}").queues).to eq([["critical", 3], ["default", 1]])
      expect(from("capsules:\n  solo: {concurrency: 1, queues: {a: 2}}\n").capsules)
        .to eq("solo" => { concurrency: 1, queues: [["a", 2]] })
    end

    # What each is read as is what Sidekiq reads.
    it "warns of a weight that is none, and says what becomes of it" do
      found = from("queues: ['a,b', [c, -3], [d, 2.5], [e, 1], 'f,0', 'g, 2', '*']")
      expect(found.queues).to eq([["a", 0], ["c", 0], ["d", 2], ["e", 1], ["f", 0], ["g", 2], ["*", 0]])
      expect(found.warnings.map { |line| line.delete_prefix("./config/sidekiq.yml: queues: ") }).to eq(
        ["\"b\" is no weight for the queue a and is ignored; each queue is an entry of its own in the list",
         "-3 is no weight for the queue c and is ignored; each queue is an entry of its own in the list",
         "2.5 is no weight for the queue d and is read as 2",
         "* is the name of one queue here, not of all; each queue is an entry of its own in the list"]
      )
    end

    it "warns of the same on the command line" do
      warnings = described_class.new({ queues: ["critical,default", "low,1"] }, env: {}).warnings
      expect(warnings).to eq(['-q: "default" is no weight for the queue critical and is ignored; ' \
                              "each queue has a -q of its own"])
    end

    it "warns of the same in a capsule" do
      found = from("capsules:\n  solo: {concurrency: 1, queues: ['a,b']}\n")
      expect(found.warnings).to match([/\Acapsules: solo: queues: "b" is no weight for the queue a and is ignored/])
    end

    it "are UTF-8, with a byte order mark also UTF-16, and told of when they are not" do
      expect(from("\uFEFFtag: é").options[:tag]).to eq("é")
      write("config/sidekiq.yml", "\uFEFFtag: é".encode("UTF-16LE"))
      expect(settings.options[:tag]).to eq("é")
      File.binwrite("config/sidekiq.yml", "a: 1\ntag: \xE9\n")
      expect(refusal).to eq("./config/sidekiq.yml:2: is not in UTF-8; save it so")
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

      it "accept #{name} from #{least} to #{largest}, as a text too" do
        [least, largest, 5].each do |value|
          expect(become.call(value, self)).to eq(value)
          expect(become.call("'#{value}'", self)).to eq(value)
        end
      end

      it "refuse another #{name} in one sentence" do
        wrong = [largest + 1, 10**400, ".inf", -1, "many", "''", "1e400", ".nan", "[1]", "{a: 1}", "true"]
        wrong << 0 unless least.zero?
        wrong << 2.5 if whole
        # Sidekiq reads a weight by to_i, and so takes all that is none for 0.
        wrong = [largest + 1, 10**400, ".inf", ".nan"] if name == "a weight"
        said = wrong.to_h { |value| [value, become.call(value, self)] }
        expect(said.values).to all(be_a(String).and(match(/\A[^\n]+\z/)))
      end
    end

    it "writes capsules" do
      found = from("capsules:\n  solo:\n    concurrency: 1\n    queues: [a, 'b,2']\n")
      expect(found.capsules).to eq("solo" => { concurrency: 1, queues: [["a", 0], ["b", 2]] })
    end

    it "may be empty" do
      expect(from("").options).to eq(queues: ["default"])
    end

    it "warns of a key that is probably misspelt, and keeps it" do
      found = from("concurency: 3\nlimits: {a: 1}\nmy_own: 2\n")
      expect(found.warnings).to contain_exactly(a_string_including("concurency is no setting",
                                                                   "did you mean concurrency?"))
      expect(found.options).to include(concurency: 3, my_own: 2)
    end

    {
      "a: [1" => %r{\A\./config/sidekiq\.yml:1: },
      "- a" => %r{\A\./config/sidekiq\.yml: must hold keys and values, not Array\z},
      "a: 1\nb: <%= nope %>" => %r{\A\./config/sidekiq\.yml:2: NameError: },
      "a: <% if %>" => %r{\A\./config/sidekiq\.yml: SyntaxError: },
      "a: 2020-01-01" => /unspecified class: Date; put the value in quotes/,
      "production: 3" => /the section production must hold keys and values, not Integer/,
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

    it "must exist when named" do
      expect(refusal({ config_file: "nope.yml" })).to eq("No such file nope.yml")
      expect(refusal({ config_file: "." })).to eq(". is a folder, not a settings file")
    end

    # Whoever runs the suite may read everything but this.
    it "must be readable", if: File.file?("/proc/self/mem") do
      expect(refusal({ config_file: "/proc/self/mem" })).to eq("/proc/self/mem: cannot be read: Input/output error")
    end
  end

  it "is verbose by -v, by file, or when systemd restarts for debugging" do
    expect(settings.verbose?).to be(false)
    expect(settings({ verbose: true }).verbose?).to be(true)
    expect(settings({}, "DEBUG_INVOCATION" => "1").verbose?).to be(true)
  end
end
