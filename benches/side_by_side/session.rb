# frozen_string_literal: true

require_relative "engines"
require_relative "proxy"
require_relative "run"
require_relative "shared"

module SideBySide
  ##
  # Runs the engines in turn: A B A B …, so that whatever else the machine does meets both. The points of a curve, which
  # are compared with each other, likewise.
  class Session
    include Bench::Clock

    # One run: of which load, which engine (or :bare, or :undelayed: with the proxy's delay at 0), with figures, or
    # with the reason why it does not count.
    Result = Struct.new(:load, :engine, :pair, :figures, :void, keyword_init: true)

    def initialize(options, redis, progress)
      @options = options
      @redis = redis
      @progress = progress
      @engines = (options.doors || Engines.doors) + [:sidekiq]
      @proxies = Hash.new { |proxies, delay| proxies[delay] = Proxy.new(@redis.url, delay) }
      @results = []
    end

    # Yields after each load, or curve: what is not complete must not take the place of what is.
    # @yieldparam [Array<Result>] so far
    def call
      @started = now
      @total = @options.loads.sum { |load| steps(load).size * @options.pairs }
      @done = 0
      groups = @options.loads.slice_when { |one, other| one.curve.nil? || one.curve != other.curve }
      groups.each do |loads|
        @options.pairs.times { |pair| measure(loads, pair) }
        yield @results
      end
      @progress.clear
    ensure
      @proxies.each_value(&:stop)
    end

    private

    # One pair of each. To and fro, so that a machine that grows slower does not make a curve.
    def measure(loads, pair)
      if pair.positive? && over?(@options.loads.index(loads.last))
        @done += loads.sum { |load| steps(load).size }
      else
        order = pair.even? ? loads : loads.reverse
        order.each { |load| steps(load).each { |engine| step(load, engine, pair) } }
      end
    end

    # What the first door is compared with comes right behind it.
    def steps(load)
      references = [*(:bare if load.bare), *(:undelayed if load.undelayed)]
      first, *others = runners(load)
      [first, *references, *others.reverse]
    end

    # Both doors have the same client.
    def runners(load)
      return [@engines.first, :sidekiq] if load.shape == :enqueue

      @engines.select { |engine| load.runs?(engine) }
    end

    # Whether the loads up to this one have used their share of the time.
    def over?(index)
      return false unless @options.budget

      # Another pair must fit in, too.
      share = @options.budget * (index + 1) / @options.loads.size.to_f
      now - @started > share * 0.75
    end

    def step(load, engine, pair)
      @progress.show(@done, @total, "#{load.title}: #{Engines::TITLES.fetch(engine)}")
      @done += 1
      @results << Result.new(load: load.name, engine: engine, pair: pair, figures: figures(load, engine))
    rescue Bench::Void => e
      @progress.say("VOID: #{load.title}, #{engine}, pair #{pair + 1}: #{e.message}")
      @results << Result.new(load: load.name, engine: engine, pair: pair, void: e.message)
    end

    def figures(load, engine)
      jobs = @options.count(load, engine)
      return bare(load, jobs) if engine == :bare

      delay = engine == :undelayed ? 0 : load.delay
      url = delay ? @proxies[delay].url : @redis.url
      engine = @engines.first if engine == :undelayed
      Run.shape(load).new(redis: @redis, engine: engine, load: load, jobs: jobs, url: url).call
    end

    def bare(load, jobs)
      env = Engines.env.merge("BENCH_LOAD" => load.bare, "BENCH_THREADS" => load.threads.to_s,
                              "REDIS_URL" => @redis.url)
      Bench::BareLoop.measure(jobs, program: File.join(__dir__, "bare_loop.rb"), env: env)
    end
  end
end
