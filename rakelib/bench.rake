# frozen_string_literal: true

# The criterion benches, here and at an older commit, in turn on the same machine: figures of another day or another
# machine say nothing. The older commit's files are laid out in target/micro/before and built in target/micro/build:
# not in target, because cargo gives two checkouts of one package the same file names.

require "English"
require "json"

# Builds the benches of both, runs them, and says what changed.
class MicroBench
  HOME = File.expand_path("target/micro")
  BEFORE = "#{HOME}/before".freeze
  RESULTS = "#{HOME}/criterion".freeze
  # Twice, and in the other order the second time: what a neighbour on the machine does to one of them does not count.
  ROUNDS = [%i[before now], %i[now before]].freeze
  # Less is noise, whatever the statistics say: code moves in memory when something else changes.
  LEAST = 0.02

  # @param wanted [Array<String>] names of benches; all when empty
  def initialize(ref, wanted)
    @sha = resolve(ref || default_ref)
    @wanted = wanted
  end

  def call
    FileUtils.rm_rf([BEFORE, RESULTS])
    FileUtils.mkdir_p(BEFORE)
    # -m: cargo looks at times, and a commit's are older than what was built from another one.
    sh("git archive #{@sha} | tar -xm -C #{BEFORE}")
    programs = { before: build(BEFORE, "#{HOME}/build"), now: build(Dir.pwd, File.expand_path("target")) }
    ROUNDS.each_index do |round|
      programs.values.flat_map(&:keys).uniq.each { |name| run(name, programs, round) }
    end
    report
  end

  private

  # What is not committed is compared with what is; else the last commit with the one before it.
  def default_ref
    `git status --porcelain --untracked-files=no`.empty? ? "HEAD~1" : "HEAD"
  end

  def resolve(ref)
    sha = IO.popen(["git", "rev-parse", "--verify", "--quiet", "#{ref}^{commit}"], &:read).strip
    sha.empty? ? abort("bench:micro: there is no commit #{ref}") : sha
  end

  def sh(*command, **options)
    system(*command, exception: true, **options)
  end

  # @return [Hash{String => String}] programs by the names of benches that there are
  def build(dir, target)
    names = Dir[File.join(dir, "benches/*.rs")].map { |path| File.basename(path, ".rs") }.sort
    names &= @wanted unless @wanted.empty?
    return {} if names.empty?

    warn "building #{names.join(", ")} in #{dir}"
    command = ["cargo", "bench", "--quiet", "--locked", "--no-run", "--features", "embed", "--target-dir", target,
               "--message-format", "json-render-diagnostics", *names.flat_map { |name| ["--bench", name] }]
    lines = IO.popen(command, chdir: dir, &:readlines)
    abort("bench:micro: the benches in #{dir} do not build") unless $CHILD_STATUS.success?
    artifacts(lines)
  end

  def artifacts(lines)
    built = lines.map { |line| JSON.parse(line) }
    built.select! { |it| it["executable"] && it.dig("target", "kind") == ["bench"] }
    built.to_h { |it| [it.dig("target", "name"), it["executable"]] }
  end

  # Both sides of one bench stand next to each other in time.
  def run(name, programs, round)
    ROUNDS[round].each do |side|
      program = programs[side][name] or next
      warn "#{name}, #{side}, round #{round + 1} of #{ROUNDS.size}"
      sh({ "CRITERION_HOME" => RESULTS }, program, "--bench", "--noplot", "--quiet", "--warm-up-time", "0.5",
         "--measurement-time", "1.5", "--save-baseline", "#{side}-#{round}", out: File::NULL)
    end
  end

  def report
    puts "Compared with #{`git log -1 --format=%h\\ %s #{@sha}`.strip}; medians, in #{ROUNDS.size} rounds", ""
    found = Dir["#{RESULTS}/**/benchmark.json"].map { |path| JSON.parse(File.read(path)) }
    ids = found.map { |it| it.values_at("full_id", "directory_name") }
    width = ids.map { |id, _| id.size }.max.to_i
    ids.uniq.sort.each { |id, dir| puts "#{id.ljust(width)}  #{line(dir)}" }
  end

  # @param dir [String] of one benchmark
  def line(dir)
    before, now = %w[before now].map { |side| ROUNDS.each_index.map { |round| median(dir, "#{side}-#{round}") } }
    return format("%<none>10s -> %<is>10s  new", none: "", is: time(average(now))) if before.none?
    return "gone" if now.none?

    changes = before.zip(now).map { |was, is| is["point_estimate"].fdiv(was["point_estimate"]) - 1 }
    mean = changes.sum / changes.size
    format("%<was>10s -> %<is>10s  %<change>+6.1f %%  %<word>s",
           was: time(average(before)), is: time(average(now)), change: mean * 100, word: verdict(before, now, mean))
  end

  # Significant is what every round says: the two intervals lie apart, on the same side.
  def verdict(before, now, mean)
    bounds = ->(it) { it["confidence_interval"].values_at("lower_bound", "upper_bound") }
    pairs = before.map(&bounds).zip(now.map(&bounds))
    return "" if mean.abs < LEAST
    return "FASTER" if pairs.all? { |was, is| is.last < was.first }
    return "SLOWER" if pairs.all? { |was, is| is.first > was.last }

    "(not significant)"
  end

  def median(dir, baseline)
    path = File.join(RESULTS, dir, baseline, "estimates.json")
    JSON.parse(File.read(path))["median"] if File.exist?(path)
  end

  def average(estimates)
    estimates.sum { |it| it["point_estimate"] } / estimates.size
  end

  # @param nanoseconds [Float]
  def time(nanoseconds)
    unit, size = [["ms", 1e6], ["us", 1e3], ["ns", 1]].find { |_, least| nanoseconds >= least } || ["ns", 1]
    format("%<number>.2f %<unit>s", number: nanoseconds / size, unit: unit)
  end
end

namespace :bench do
  desc "Criterion benches, compared with another commit (default: the last; BENCH=json,ready: only these)"
  task(:micro, [:ref]) { |_, args| MicroBench.new(args[:ref], ENV.fetch("BENCH", "").split(",")).call }
end
