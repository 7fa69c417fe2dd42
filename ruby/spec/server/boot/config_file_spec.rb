# frozen_string_literal: true

require "spec_helper"
require "support/settings_folder"

RSpec.describe Footplate::Server::ConfigFile do
  include SettingsFolder

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

  it "must be UTF-8, or UTF-16 with a byte order mark, and says where it is not" do
    expect(from("\uFEFFtag: é").options[:tag]).to eq("é")
    write("config/sidekiq.yml", "\uFEFFtag: é".encode("UTF-16LE"))
    expect(settings.options[:tag]).to eq("é")
    File.binwrite("config/sidekiq.yml", "a: 1\ntag: \xE9\n")
    expect(refusal).to eq("./config/sidekiq.yml:2: is not in UTF-8; save it so")
  end

  it "may be empty" do
    expect(from("").options).to eq(queues: ["default"])
  end

  {
    "a: [1" => %r{\A\./config/sidekiq\.yml:1: },
    "- a" => %r{\A\./config/sidekiq\.yml: must hold keys and values, not Array\z},
    "a: 1\nb: <%= nope %>" => %r{\A\./config/sidekiq\.yml:2: NameError: },
    "a: <% if %>" => %r{\A\./config/sidekiq\.yml: SyntaxError: },
    "a: 2020-01-01" => /unspecified class: Date; put the value in quotes/,
    "production: 3" => /the section production must hold keys and values, not Integer/
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
