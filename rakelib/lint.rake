# frozen_string_literal: true

# One task per check, so that bin/test can count them. Clippy has a target directory of its own: see compile.rake.
clippy = lambda do |*what|
  sh "cargo", "clippy", "--quiet", "--locked", "--target-dir", "target/lint", *what, "--", "-D", "warnings",
     verbose: false
end

namespace :lint do
  desc "rustfmt, changing nothing"
  task(:fmt) { sh "cargo", "fmt", "--all", "--check", verbose: false }

  desc "Clippy over everything that knows no Ruby"
  task(:core) { clippy.call("--all-targets") }

  desc "Clippy with the bridge to Ruby"
  task(:ruby) { clippy.call("--all-targets", "--features", "ruby") }

  desc "Clippy with the embedded VM"
  task(:embed) { clippy.call("--all-targets", "--features", "embed") }

  desc "Clippy over the extension"
  task(:ext) { clippy.call("--all-targets", "--package", "footplate-native") }

  desc "The signatures in sig: that they can be read, and name only what is there"
  task :rbs do
    require "rbs"
    loader = RBS::EnvironmentLoader.new
    loader.add(path: Pathname("sig"))
    environment = RBS::Environment.from_loader(loader).resolve_type_names
    builder = RBS::DefinitionBuilder.new(env: environment)
    ours = environment.class_decls.keys.select { |name| name.to_s.start_with?("::Footplate") }
    ours.each do |name|
      builder.build_instance(name)
      builder.build_singleton(name)
    end
  rescue RBS::BaseError => e
    abort("sig: #{e.message}")
  end

  desc "rubocop"
  task(:rubocop) { sh "rubocop", "--format", "quiet", verbose: false }

  desc "YARD reads the comments without a warning"
  task(:yard) do
    sh "yard", "doc", "--no-save", "--no-output", "--no-stats", "--no-progress", "--fail-on-warning", "ruby/lib",
       verbose: false
  end
end

LINTS = %w[fmt core ruby embed ext rbs rubocop yard].freeze

desc "All linters; a warning is an error"
task lint: LINTS.map { |name| "lint:#{name}" }
