# frozen_string_literal: true

require_relative "support/conformance"

# Ruby itself, which must be the same whether it loads us or we embed it.
LOOK = <<~'RUBY'
  class Look
    include JobModule
    def perform(text)
      effect("look", text.encoding.name, text, "lit\u00e9ral".encoding.name, Encoding.default_external.name, Encoding.default_internal&.name,
             __FILE__, defined?(RubyVM::YJIT) && RubyVM::YJIT.enabled?, $PROGRAM_NAME[0, 9], ARGV, Thread.main == Thread.current)
    end
  end
  effect("boot", $0, ARGV, $LOADED_FEATURES.grep(%r{/.*footplate/native}).uniq.size, __FILE__, Encoding.default_external.name,
         Encoding.find("locale").name, Encoding.find("filesystem").name, $TESTING, $stdout.sync, Process.clock_gettime(Process::CLOCK_REALTIME) > 1,
         File.read("/proc/self/maps").scan(%r{\S+native\.so$}).uniq.size)
RUBY

Conformance.describe "the VM" do
  app <<~RUBY
    #{LOOK}
    at_exit { effect("at_exit", 1) }
    at_exit { effect("at_exit", 2) && $stdout.puts("from at_exit") }
  RUBY

  scenario do
    push("Look", "gr\u00fcn \u{1F600}")
    start("-c", "1", env: { "LANG" => "C.UTF-8", "LC_ALL" => "C.UTF-8" })
    await_effects(1, "look")
    @code = server.stop
    @look = effects("look").first
    @boot = effects("boot").first
  end

  it "has UTF-8 strings, and the locale's encodings" do
    expect(@look.first(4)).to eq(["UTF-8", "gr\u00fcn \u{1F600}", "UTF-8", "UTF-8"])
    expect(@look[4]).to be_nil
    expect(@boot[4..6]).to eq(%w[UTF-8 UTF-8 UTF-8])
  end

  it "has its name, its arguments, and its flags" do
    expect(@boot[0]).to end_with("footplate")
    expect(@boot[1]).to eq(["-r", "./app.rb", "-c", "1"])
    expect(@boot[7]).to be(false)
    expect(@boot[8]).to be(true)
    expect(@look[5]).to end_with("app.rb")
    expect(@look[7]).to eq("footplate")
    expect(@look[9]).to be(false)
  end

  it "loads the engine once" do
    expect([@boot[2], @boot[10]]).to eq(door.executable? ? [0, 0] : [1, 1])
  end

  it "runs at_exit, the last first, and says goodbye to a pipe" do
    expect(effects("at_exit")).to eq([[2], [1]])
    expect(server.lines.last).to eq("from at_exit")
    expect(@code).to eq(0)
  end
end

Conformance.describe "an at_exit that exits" do
  app "at_exit { exit 9 }"

  it "decides the status" do
    start
    expect(server.stop).to eq(9)
  end
end

Conformance.describe "RUBYOPT" do
  app LOOK, files: { "first.rb" => "$first = true; BEGIN { $stderr.puts('first.rb') }\n" }

  it "is heeded, YJIT's flag too" do
    yjit = system(RbConfig.ruby, "--yjit", "-e", "exit RubyVM::YJIT.enabled?", err: File::NULL)
    push("Look", "x")
    start(env: { "RUBYOPT" => "-r./first.rb -Eascii-8bit #{"--yjit" if yjit}" })
    look = await_effects(1, "look").first
    expect(server.output).to include("first.rb")
    expect(look[3]).to eq("ASCII-8BIT")
    expect(look[6]).to be(yjit ? true : look[6])
    expect(server.stop).to eq(0)
  end
end

Conformance.describe "a locale without UTF-8" do
  app LOOK

  it "changes the locale's encoding and no job's" do
    push("Look", "gr\u00fcn")
    start(env: { "LANG" => "C", "LC_ALL" => "C" })
    expect(await_effects(1, "look").first.first(3)).to eq(%w[UTF-8 grün UTF-8])
    expect(effects("boot").first[4]).to eq("US-ASCII")
    expect(server.stop).to eq(0)
  end
end

Conformance.describe "bundle exec" do
  app LOOK, files: { "Gemfile" => %(gem "sidekiq"\n) }

  it "gives the bundle" do
    write("app.rb",
          "#{File.read(path("app.rb"))}\n" \
          "effect('bundle', defined?(Bundler) ? Gem.loaded_specs.key?('sidekiq') : nil)\n")
    push("Look", "x")
    start(command: %w[bundle exec] + door.command)
    await_effects(1, "look")
    expect(effects("bundle").first.first).to be(true)
    expect(server.stop).to eq(0)
  end
end
