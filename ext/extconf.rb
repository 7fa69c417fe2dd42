# frozen_string_literal: true

# Writes the Makefile with which RubyGems, Bundler, rake or a person builds the extension with cargo.
#
# It needs no other gem. Its environment variables have the names that the rb_sys gem gives them:
#
#   CARGO                   the cargo to run (default: the one in PATH, then ~/.cargo/bin)
#   RB_SYS_CARGO_PROFILE    cargo profile (default: release)
#   RB_SYS_CARGO_TARGET_DIR where cargo builds (default: `target` beside the Makefile, dropped once the library is
#                           installed; a directory named here is kept)
#   LIBCLANG_PATH           directory of libclang, when it is not in the usual places

require "mkmf" # first: RubyGems' overrides of the install directories reach us through it
require "shellwords"

# Finds what the build needs, or says in one line what is missing.
module Toolchain
  ROOT = File.expand_path("..", __dir__)

  module_function

  def minimum_rustc
    File.read(File.join(ROOT, "Cargo.toml"))[/^rust-version\s*=\s*"([^"]+)"/, 1]
  end

  def cargo
    found = [ENV.fetch("CARGO", nil), find_executable0("cargo"), File.join(Dir.home, ".cargo/bin/cargo")]
            .find { |path| path && File.executable?(path) }
    found || stop("no cargo found. Install Rust #{minimum_rustc} or newer (rustup does it), or set CARGO to its path.")
  end

  def check_rustc(cargo)
    sibling = File.join(File.dirname(cargo), "rustc")
    rustc = ENV["RUSTC"] || (File.executable?(sibling) ? sibling : "rustc")
    version = IO.popen([rustc, "--version"], err: File::NULL, &:read)[/rustc (\d+\.\d+(\.\d+)?)/, 1]
    return if version && Gem::Version.new(version) >= Gem::Version.new(minimum_rustc)

    stop("rustc #{version || "of unknown version"} is too old: #{minimum_rustc} is the minimum. " \
         "`rustup update` brings a newer one.")
  rescue SystemCallError
    stop("#{cargo} has no working rustc beside it. Install Rust #{minimum_rustc} or newer (rustup does it).")
  end

  # bindgen loads libclang while rb-sys builds; without it cargo fails minutes later with a page of text.
  def check_libclang
    return if ENV["LIBCLANG_PATH"] || !Dir.glob(libclang_patterns).empty?

    stop("no libclang found, which the bindings to Ruby's C API are made with. Install it " \
         "(Debian, Ubuntu: apt-get install libclang-dev; Fedora: clang-devel; macOS: xcode-select --install), " \
         "or set LIBCLANG_PATH to its directory.")
  end

  def libclang_patterns
    llvm = find_executable0("llvm-config")
    dirs = %w[/usr/lib /usr/lib64 /usr/local/lib /usr/lib/*-linux-* /usr/lib/llvm*/lib /usr/lib64/llvm*/lib
              /opt/homebrew/opt/llvm*/lib /usr/local/opt/llvm*/lib /Library/Developer/CommandLineTools/usr/lib
              /Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib]
    dirs << IO.popen([llvm, "--libdir"], &:read).strip if llvm
    dirs.map { |dir| "#{dir}/libclang{,-*}.{so,so.*,dylib}" }
  end

  def stop(why)
    $makefile_created = true # rubocop:disable Style/GlobalVars -- or mkmf adds a page on its own options
    abort "footplate: #{why}"
  end
end

cargo = Toolchain.cargo
Toolchain.check_rustc(cargo)
Toolchain.check_libclang

profile = ENV.fetch("RB_SYS_CARGO_PROFILE", "release")
own_target_dir = !ENV.key?("RB_SYS_CARGO_TARGET_DIR")
target_dir = File.expand_path(ENV.fetch("RB_SYS_CARGO_TARGET_DIR", "target"))
offline = "--offline" if File.directory?(File.join(Toolchain::ROOT, "vendor"))
# Ruby's symbols are resolved when Ruby loads the library; only Apple's linker has to be told that this is intended.
link_args = "-- -C link-arg=-Wl,-undefined,dynamic_lookup" if RUBY_PLATFORM.include?("darwin")

makefile = <<~MAKEFILE
  #{configuration(".").join}
  target_prefix = /footplate
  RUBYARCHDIR = $(sitearchdir)$(target_prefix)
  DLLIB = native.#{RbConfig::CONFIG["DLEXT"]}
  MANIFEST = #{File.join(__dir__, "Cargo.toml").shellescape}
  TARGET_DIR = #{target_dir.shellescape}
  OWN_TARGET_DIR = #{target_dir.shellescape if own_target_dir}
  BUILT = $(TARGET_DIR)/#{profile == "dev" ? "debug" : profile}/libfootplate_native.#{RbConfig::CONFIG["SOEXT"]}

  all: $(DLLIB)

  # cargo knows what is fresh, so it is always asked. RUBY is named for rb-sys, which otherwise takes the first in PATH.
  $(DLLIB): FORCE
  \t+RUBY=#{RbConfig.ruby.shellescape} #{cargo.shellescape} rustc --manifest-path $(MANIFEST) -p footplate-native --lib --locked #{offline} --profile #{profile} --target-dir $(TARGET_DIR) #{link_args}
  \tcmp -s $(BUILT) $@ || { cp $(BUILT) $@.new && mv -f $@.new $@; }

  install: $(DLLIB)
  \t$(MAKEDIRS) $(RUBYARCHDIR)
  \t$(INSTALL_PROG) $(DLLIB) $(RUBYARCHDIR)/$(DLLIB)
  \ttest -z "$(OWN_TARGET_DIR)" || rm -rf "$(OWN_TARGET_DIR)" $(DLLIB)

  clean:
  \trm -f $(DLLIB) $(DLLIB).new
  \ttest -z "$(OWN_TARGET_DIR)" || rm -rf "$(OWN_TARGET_DIR)"

  distclean: clean
  \trm -f Makefile mkmf.log

  FORCE:
  .PHONY: all install clean distclean FORCE
MAKEFILE

File.write("Makefile", makefile)
