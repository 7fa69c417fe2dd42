# frozen_string_literal: true

desc "Build the gem to pkg/"
task :gem do
  mkdir_p "pkg", verbose: false
  spec = Gem::Specification.load("footplate.gemspec")
  sh Gem.ruby, "-S", "gem", "build", "--silent", "footplate.gemspec", "--output", "pkg/#{spec.file_name}",
     verbose: false
  puts "pkg/#{spec.file_name}"
end

namespace :package do
  desc "Build the gem, install it into an empty GEM_HOME and run it (CLEAN=1: without any build cache)"
  task :smoke do
    ENV["FOOTPLATE_PACKAGE_CLEAN"] = "1" if ENV["CLEAN"]
    ruby "-S", "rspec", "tests/packaging", verbose: false
  end
end
