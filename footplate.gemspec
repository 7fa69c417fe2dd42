# frozen_string_literal: true

require_relative "ruby/lib/footplate/version"

Gem::Specification.new do |spec|
  spec.name = "footplate"
  spec.version = Footplate::VERSION
  spec.authors = ["The Footplate authors"]
  spec.summary = "Runs the background jobs of a Ruby application, in place of `bundle exec sidekiq`"
  spec.description = <<~TEXT
    A Rust engine for Sidekiq's and Active Job's jobs: same Redis keys, same payloads, same job classes, middleware,
    signals and dashboard. Jobs are claimed in batches and kept in Redis until they are done, so a crash loses none.
  TEXT
  spec.license = "MIT"
  spec.required_ruby_version = ">= 3.1"
  spec.metadata = { "rubygems_mfa_required" => "true" }

  # No gem is needed at run time: the client speaks through redis-client or the redis gem, whichever is there.

  # Dir, not git: the package must come out the same from a tarball. tests/packaging/files.golden says what belongs
  # here, and its test compares; declared benches have to be shipped because cargo refuses a manifest without them.
  spec.files = Dir[
    "Cargo.{toml,lock}", "build.rs", "src/**/*.{rs,lua}", "benches/*.rs",
    "ext/{Cargo.toml,build.rs,extconf.rb}", "ext/src/**/*.rs",
    "ruby/lib/**/*.rb", "ruby/exe/*", "sig/**/*.rbs",
    "LICENSE", "README.md", "CHANGELOG.md", "docs/**/*.md",
    base: __dir__
  ].sort

  spec.require_paths = ["ruby/lib"]
  spec.bindir = "ruby/exe"
  spec.executables = ["footplate"]
  spec.extensions = ["ext/extconf.rb"]
end
