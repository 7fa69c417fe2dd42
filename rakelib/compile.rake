# frozen_string_literal: true

# Where things are built, and why there is more than one cargo target directory:
#
#   target/          `cargo test` (with and without Ruby) in the dev profile, the executable (`--features embed`) in
#                    the release profile: different profile and features, so neither throws the other's work away.
#   target/ext       the extension. rb-sys must not link libruby there and is told which Ruby to ask (RUBY=), which
#                    makes its build script run again wherever that variable comes and goes; and with a directory, and
#                    so a lock, of its own it can be built while the executable is.
#   target/lint      clippy. Under clippy rb-sys makes bindings that do not link, and cargo would hand the same build
#                    script output to a later `cargo build`, which then fails at link or at run time.
#
# The extension is left at ruby/lib/footplate/native.so (ignored by git), where `ruby -Iruby/lib` finds
# `footplate/native`: the same place as in the installed gem.

require "rbconfig"

NATIVE = "ruby/lib/footplate/native.#{RbConfig::CONFIG["DLEXT"]}".freeze
EXT_TARGET = File.expand_path("target/ext")
EXT_MAKE = "#{EXT_TARGET}/make-#{RbConfig::CONFIG["ruby_version"]}-#{RbConfig::CONFIG["arch"]}".freeze

file "#{EXT_MAKE}/Makefile" => ["ext/extconf.rb", "Cargo.toml"] do |t|
  mkdir_p EXT_MAKE, verbose: false
  sh({ "RB_SYS_CARGO_TARGET_DIR" => EXT_TARGET }, RbConfig.ruby, File.expand_path("ext/extconf.rb"), chdir: EXT_MAKE,
                                                                                                     verbose: false)
  touch t.name, verbose: false
end

desc "Build the extension to #{NATIVE}"
task compile: "#{EXT_MAKE}/Makefile" do
  sh "make", "--silent", chdir: EXT_MAKE, verbose: false
  built = "#{EXT_MAKE}/#{File.basename(NATIVE)}"
  # By rename, since a running process may have the old one mapped; and only when it changed.
  unless File.exist?(NATIVE) && FileUtils.identical?(built, NATIVE)
    cp built, "#{NATIVE}.new", verbose: false
    mv "#{NATIVE}.new", NATIVE, verbose: false
  end
end

desc "Build the executable that embeds the VM to target/release/footplate"
task :executable do
  sh "cargo", "build", "--release", "--locked", "--features", "embed", verbose: false
end

desc "Remove what rake and bin/ built, except the matrix's chroots"
task :clean do
  rm_rf FileList["target/*"].exclude("target/matrix") + FileList["pkg", "ruby/lib/footplate/native.*"]
end
