# frozen_string_literal: true

require_relative "support/conformance"

# Arguments, paths, names and messages are bytes: in containers there is often no locale, and Ruby takes them for
# US-ASCII then.
Conformance.describe "names of all kinds without a locale" do
  latin = "caf\xE9.rb"
  app "", files: {
    "dossier é/mon app é.rb" => "#{Conformance::Application::PRELUDE}\n" + <<~'RUBY',
      class Pêcheur
        include JobModule
        def perform(*args) = effect("encodings", Encoding.default_external.to_s, *args)
      end
    RUBY
    "dossier é/réglages é.yml" =>
      "\uFEFF:queues:\n  pêche: 2\n  autre: 1\n:tag: étiquette\n:prüfung:\n  :concurrency: 3\n",
    "dossier é/kaputt.rb" => %(class Größe < StandardError; end\nraise Größe, "zu groß: \\xFF"),
    "dossier é/latin.yml" => ":concurrency: 1\n:tag: caf\xE9\n", "dossier é/#{latin}" => ""
  }

  # Started in that folder, as a supervisor does it.
  def within(*arguments, require:, locale: "C", env: {}, start: :fail_to_start)
    command = ["sh", "-c", 'cd "dossier é" && exec "$@"', "sh", *door.command]
    env = { "LANG" => nil, "LC_CTYPE" => nil, "LC_ALL" => locale }.merge(env)
    public_send(start, *arguments, require: require, command: command, env: env)
  end

  def said(*arguments, **options)
    within(*arguments, **options)
    expect(server.output).not_to match(/^\s+from |\.rb:\d+:in .*(Encoding|invalid byte)/)
    server.output
  end

  it "are taken as they are" do
    within("-C", "réglages é.yml", "-e", "prüfung", require: "./mon app é.rb", start: :start,
                                                    env: { "DYNO" => "wörker.1", "HOME" => "/é" })
    push("Pêcheur", "ü", queue: "pêche")
    expect(await_effects(1, "encodings")).to eq([%w[US-ASCII ü]])
    info = JSON.parse(redis.call("HGET", identity, "info"))
    expect(info).to include("hostname" => "wörker.1", "tag" => "étiquette", "queues" => %w[pêche autre],
                            "concurrency" => 3)
    expect(server.stop).to eq(0)
  end

  it "are taken from the command line, whatever the locale says" do
    expect(said("check", "-q", "pêche", "-g", "étiquette", require: "./mon app é.rb", locale: "POSIX"))
      .to match(/étiquette.*queue pêche/m).and include("It would start.")
    expect(said("check", require: "./#{latin}", locale: nil)).to include("It would start.")
    expect(said("check", "-q", "p\xEAche", require: "./mon app é.rb")).to include("must be UTF-8")
  end

  it "are told of in one sentence" do
    expect(said("-C", "nö.yml", require: "./mon app é.rb")).to eq("footplate: No such file nö.yml\n")
    expect(said("-C", "latin.yml", require: "./mon app é.rb"))
      .to eq("footplate: latin.yml:2: is not in UTF-8; save it so\n")
    expect(said(require: "./nö.rb")).to start_with("footplate: There is no ./nö.rb.")
    expect(said(require: "./kaputt.rb"))
      .to match(%r{\Afootplate: Größe: zu groß: .\n  at \S+/dossier é/kaputt\.rb:2})
  end
end

Conformance.describe "a folder that was deleted" do
  app "", files: { "broken.rb" => "raise 'broken'" }

  def nowhere(file, start: :fail_to_start)
    command = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh", *door.command]
    public_send(start, require: file, command: command)
  end

  it "keeps no application from running, nor from saying what is broken" do
    nowhere(path("app.rb"), start: :start)
    expect(server.stop).to eq(0)
    nowhere(path("broken.rb"))
    expect(server.output).to match(%r{\Afootplate: RuntimeError: broken\n  at \S+/broken\.rb:1.*\n  \(-v shows})
    expect(server.lines.size).to eq(3)
    nowhere("app.rb")
    expect(server.output).to start_with("footplate: The current folder was deleted. Run this in the folder of a ")
  end
end

Conformance.describe "an application without Active Support" do
  app "effect('defined', defined?(ActiveSupport), defined?(ActiveJob))"

  it "has none" do
    fail_to_start("check")
    expect(effects("defined")).to eq([[nil, nil]])
  end
end
