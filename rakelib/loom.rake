# frozen_string_literal: true

namespace :test do
  desc "Model tests of the ready queue (loom)"
  task :loom do
    sh({ "RUSTFLAGS" => "--cfg loom" }, "cargo", "test", "--quiet", "--locked", "--lib", "--manifest-path",
       "tests/loom/Cargo.toml", "--target-dir", "target/loom", verbose: false)
  end
end
