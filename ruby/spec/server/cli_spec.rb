# frozen_string_literal: true

require "spec_helper"
require "support/boot_process"

# From what the Rust side has parsed to the launcher, and `footplate check`.
RSpec.describe "Footplate::CLI" do
  include BootProcess

  let(:redis) { SharedRedis.server }
  let(:app) { "Footplate.config.redis = {url: ENV['REDIS_URL']} unless defined?(Sidekiq)" }

  def cli(command, typed = {}, files: { "app.rb" => app }, env: {}, before: "")
    typed = { require: "app.rb" }.merge(typed)
    output_of(files, "#{before}\nexit status(:#{command}, #{typed.inspect})", { "REDIS_URL" => redis.url }.merge(env))
  end

  before { redis.call("CONFIG", "SET", "maxmemory-policy", "noeviction") }

  { "with the sidekiq gem" => "", "without it" => "without_gem!" }.each do |world, before|
    describe world, sidekiq_gem: before.empty? do
      it "introduces itself in the words that log parsers know, and launches" do
        out, status = cli(:run, before: before)
        expect(status).to eq(0)
        expect(out).to match(/Running in ruby \d.*Footplate [\d.]+.*connecting to Redis with options \{.*LAUNCHED/m)
      end

      it "shows what would start" do
        redis.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        out, status = cli(:check, { queues: ["a,2", "b"], concurrency: 1 }, before: before)
        expect(status).to eq(0)
        expect(out).to match(/^  Ruby +#{RUBY_VERSION}/).and match(/^  Redis .*redis\.sock/)
        expect(out).to match(/^ +(Redis|Valkey) [\d.]+ answers/)
        expect(out).to match(/^  Work +1 thread$/).and match(/^ +queues a \(2\), b/).and include("It would start; see")
        expect(out).to match(/^  ! Redis may throw jobs away.*allkeys-lru/)
        expect(out).not_to include("\e[")
      end

      it "speaks of Sidekiq only where it is, and says what has run" do
        files = { "app.rb" => app, "config/footplate.yml" => "concurency: 3\n" }
        said = %i[run check].map { |command| cli(command, { queues: ["a,b"] }, files: files, before: before).first }
        expect(said).to all(include("concurency is no setting of"))
        expect(said.last).to include("its configure_server blocks ran, and what they wrote stays")
        speaks = before.empty? ? all(match(/sidekiq/i)) : all(satisfy { |text| !text.match?(/sidekiq/i) })
        expect(said).to speaks
      end

      it "says why it cannot reach Redis, without the password" do
        env = { "REDIS_URL" => "redis://:hunter2@127.0.0.1:1/0" }
        %i[run check].each do |command|
          out, status = cli(command, env: env, before: before)
          expect(status).to eq(1)
          expect(out).to include("Cannot work with Redis at redis://").and match(/refused.*set REDIS_URL/i)
          expect(out).not_to include("hunter2")
        end
      end
    end
  end

  { "by ourselves" => "", "in the application" => "Sidekiq.redis { |it| it }" }.each do |where, app|
    it "says what REDIS_PROVIDER must be when it is read #{where}", sidekiq_gem: true do
      %i[run check].each do |command|
        out, status = cli(command, files: { "app.rb" => app }, env: { "REDIS_PROVIDER" => "redis://:hunter2@h" })
        expect(status).to eq(1)
        expect(out).to end_with("footplate: REDIS_PROVIDER holds a URL; it must be the name of the variable that " \
                                "holds the URL, as in REDIS_PROVIDER=REDISTOGO_URL\n")
      end
    end
  end

  it "says what REDIS_PROVIDER must be without the gem, too" do
    out, status = cli(:run, files: { "app.rb" => "" }, env: { "REDIS_PROVIDER" => "redis://h" }, before: "without_gem!")
    expect([out.lines.last, status]).to match([/\Afootplate: REDIS_PROVIDER holds a URL;/, 1])
  end

  it "says that a URL is none, without its password", sidekiq_gem: true do
    out, status = cli(:run, files: { "app.rb" => "" }, env: { "REDIS_URL" => "redis://:hunter 2@h/0" })
    expect(status).to eq(1)
    expect(out).to match(/^footplate: The application's Redis settings cannot be used: /)
    expect(out).not_to include("hunter")
  end

  it "warns of an eviction policy at boot" do
    redis.call("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
    expect(cli(:run).first).to match(/WARN.*Redis may throw jobs away.*volatile-ttl/)
  end

  it "fires :startup with the launcher made and the identity known, and stops at an exception there" do
    app = <<~'APP'
      Footplate.config.redis = {url: ENV["REDIS_URL"]}
      Footplate.config.on(:startup) { puts "STARTUP #{Footplate.config[:identity]}" }
    APP
    out, = cli(:run, files: { "app.rb" => app }, before: "without_gem!")
    expect(out).to match(/MADE.*STARTUP \S+:\d+:\h{12}\n.*LAUNCHED/m)

    failing = "#{app}Footplate.config.on(:startup) { raise 'not today' }"
    out, status = cli(:run, files: { "app.rb" => failing }, before: "without_gem!")
    expect(out).to include("footplate: RuntimeError: not today")
    expect(out).not_to include("LAUNCHED")
    expect(status).to eq(1)
  end

  it "prints mistakes in settings as one line and exits 1" do
    out, status = cli(:run, files: { "app.rb" => "", "config/sidekiq.yml" => "concurrency: 0" })
    expect([out, status]).to eq(["footplate: concurrency: 0 is not a valid value; it must be 1 or more\n", 1])
  end

  it "prints warnings first and goes on" do
    out, status = cli(:run, { warnings: ["-d is ignored"] },
                      files: { "app.rb" => app, "config/sidekiq.yml" => "timout: 3" })
    expect(out).to start_with("footplate: -d is ignored\nfootplate: ./config/sidekiq.yml: timout is no setting")
    expect(status).to eq(0)
  end

  it "logs at debug level when verbose" do
    script = "exit status(:run, {require: 'app.rb', verbose: true})"
    app = "require 'logger'; at_exit { puts [:level, $facade.logger.level].inspect }"
    hook = "Footplate::Server::Facade.singleton_class.prepend(Module.new { def detect = $facade = super })"
    expect(output_of({ "app.rb" => app }, "#{hook}\n#{script}",
                     "REDIS_URL" => redis.url).first).to include("[:level, 0]")
  end

  it "is too new for an old Redis" do
    hook = "class Footplate::Server::Facade::Base; end; info = {'redis_version' => '6.0.16'}\n" \
           "Footplate::Server::Facade.singleton_class.prepend(Module.new { define_method(:detect) { " \
           "super().tap { |facade| facade.define_singleton_method(:redis_info) { info } } } })"
    out, status = cli(:run, before: hook)
    expect(out).to include("has version 6.0.16, and Footplate needs 6.2 or newer")
    expect(status).to eq(1)
  end

  it "passes on what the parser says" do
    script = <<~'SCRIPT'
      parsed = {exit: {code: 3, stdout: "out\n", stderr: "err\n"}}
      native = Module.new
      native.const_set(:VERSION, Footplate::VERSION)
      native.define_singleton_method(:parse) { |argv| argv == ["-V"] ? JSON.generate(parsed) : raise }
      Footplate.const_set(:Native, native)
      $LOADED_FEATURES << "footplate/native.so"
      exit Footplate::CLI.start(["-V"])
    SCRIPT
    out, status = output_of({}, script)
    expect(out.lines.sort).to eq(%W[err\n out\n])
    expect(status).to eq(3)
  end
end
