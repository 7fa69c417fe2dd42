# frozen_string_literal: true

require "fileutils"
require "open3"
require "rubygems/package"

# The package as a user gets it: built, looked into, installed from the file and run.
RSpec.describe "the gem" do
  root = File.expand_path("../..", __dir__)

  def run(*command, env: {}, dir: nil)
    output, status = Open3.capture2e(env, *command, chdir: dir || Dir.pwd)
    expect(status).to be_success, "#{command.join(" ")} failed:\n#{output}"
    output
  end

  # Everything is under a fixed path, and cargo works where `rake compile` does: only the gem's own crates are compiled.
  def install(gem, home, env)
    run(Gem.ruby, "-S", "gem", "install", "--local", "--no-document", "--install-dir", home, gem,
        env: { "GEM_HOME" => home, "GEM_PATH" => home, "RUBYOPT" => nil, "BUNDLE_GEMFILE" => nil, **env })
  end

  def installed_version(home)
    run(File.join(home, "bin/footplate"), "--version", env: { "GEM_HOME" => home, "RUBYLIB" => nil }, dir: "/").strip
  end

  before(:all) do
    @dir = File.join(root, "target/package")
    FileUtils.rm_rf(@dir)
    FileUtils.mkdir_p(@dir)
    @gem = File.join(@dir, "footplate.gem")
    run(Gem.ruby, "-S", "gem", "build", "footplate.gemspec", "--output", @gem, dir: root)
  end

  it "holds exactly the files of files.golden" do
    patterns = File.readlines(File.join(__dir__, "files.golden"), chomp: true).grep_v(/\A(#|\z)/)
    golden = patterns.flat_map { |pattern| pattern.include?("*") ? Dir.glob(pattern, base: root) : [pattern] }
    expect(Gem::Package.new(@gem).contents.sort).to eq(golden.sort)
  end

  it "needs no other gem" do
    expect(Gem::Package.new(@gem).spec.runtime_dependencies).to be_empty
  end

  it "installs with our extconf and runs" do
    home = File.join(@dir, "home")
    install(@gem, home, "RB_SYS_CARGO_TARGET_DIR" => File.join(root, "target/ext"))
    expect(installed_version(home)).to include(Gem::Package.new(@gem).spec.version.to_s)
    expect(Dir[File.join(home, "gems/*/ruby/lib/footplate/native.*")].size).to eq(1)
  end

  it "installs without any cache and leaves no build behind",
     skip: ENV["FOOTPLATE_PACKAGE_CLEAN"] ? false : "compiles everything: set FOOTPLATE_PACKAGE_CLEAN=1" do
    home = File.join(@dir, "clean-home")
    install(@gem, home, "RB_SYS_CARGO_TARGET_DIR" => nil, "RB_SYS_CARGO_PROFILE" => nil)
    expect(installed_version(home)).to include(Gem::Package.new(@gem).spec.version.to_s)
    expect(Dir[File.join(home, "gems/*/{,ext/}target")]).to be_empty
    expect(Dir[File.join(home, "**/*")].sum { |path| File.size(path) }).to be < 50_000_000
  end
end
