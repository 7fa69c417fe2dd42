# frozen_string_literal: true

namespace :test do
  desc "The engine below vm, without Ruby"
  task(:rust) { sh "bin/test", "rust", verbose: false }

  desc "The Ruby side: ruby/spec"
  task(:spec) { sh "bin/test", "spec", verbose: false }

  desc "Black-box tests: tests/**/*_spec.rb"
  task(:blackbox) { sh "bin/test", "blackbox", verbose: false }
end

desc "All tests, without the linters"
task(:test) { sh "bin/test", "rust", "vm", "spec", "blackbox", verbose: false }
