# frozen_string_literal: true

require_relative "support/server"

# What jobs, and others, do to the threads that run them. Each on the native path and on the path through Ruby.
%w[native ruby].each do |path|
  RSpec.describe "Worker threads on the #{path} path" do
    app = "require #{File.join(__dir__, "support/thread_jobs").inspect}\n"
    # Before other processes, such as a compiler beside the suite: what is counted here is whom Ruby lets in.
    first = app + <<~RUBY
      begin
        Process.setpriority(Process::PRIO_PROCESS, 0, -20)
      rescue Errno::EACCES
        nil
      end
    RUBY

    it "are as many as before after every way a job can end" do
      Server.run(app, threads: 3, path: path) do |server|
        server.start
        poisons = %w[kill throw exit exception memory overflow later] * 6
        server.push("Poison", poisons.map { |kind| [kind] })
        server.await_idle
        expect(server.count(:retry)).to eq(poisons.size)
        classes = server.jobs_of(:retry).group_by { |job| job["args"].first }
                        .transform_values { |jobs| jobs.map { |job| job["error_class"] }.uniq }
        expect(classes).to eq("kill" => ["Footplate::JobKilled"], "throw" => ["UncaughtThrowError"],
                              "exit" => ["SystemExit"], "exception" => ["Exception"], "memory" => ["NoMemoryError"],
                              "overflow" => ["SystemStackError"], "later" => ["ArgumentError"])
        server.push("Meet", [[3]] * 3)
        server.await_ledger(3)
        expect(server.stop.exitstatus).to eq(0)
        expect(server.redis.call("LLEN", "queue:default")).to eq(0)
      end
    end

    # With Ruby's time slices of 100 ms it would be about 20 each time, and as many from each of the other workers.
    it "let a job go on that waited for something, before they begin with the next" do
      Server.run(first, threads: 6, path: path) do |server|
        server.push("Waiting", [[20]])
        server.push("Busy", [[5]] * 600)
        server.start
        server.await_ledger(1)
        expect(Integer(server.ledger.first)).to be <= 10
        expect(server.stop.exitstatus).to eq(0)
      end
    end

    # One of them for each of its time slices of 100 ms would be 10 s.
    it "share the GVL with a job that never lets go of it" do
      Server.run(first, threads: 6, path: path) do |server|
        server.push("Hog", [[100]])
        server.push("Busy", [[5]] * 100)
        server.start
        server.await_ledger(1)
        expect(Integer(server.ledger.first)).to be <= 3_000
        expect(server.stop.exitstatus).to eq(0)
      end
    end

    it "lose nothing in a storm of exceptions raised from outside, and are as many as before" do
      storm = <<~'RUBY'
        class Storm < StandardError; end
        # On request, until it is told to end: the file is both.
        Thread.new do
          Thread.pass until File.exist?("storm")
          random = Random.new(Integer(ENV.fetch("SEED")))
          while File.exist?("storm")
            workers = Thread.list.select { |it| it.name&.end_with?("/processor") }
            victim = workers.sample(random: random)
            random.rand(20).zero? ? victim&.kill : victim&.raise(Storm)
            sleep(0.0005)
          end
        end
      RUBY
      Server.run(app + storm, threads: 4, path: path, env: { "SEED" => RSpec.configuration.seed.to_s }) do |server|
        server.start
        FileUtils.touch(File.join(server.dir, "storm"))
        ids = (1..4_000).map(&:to_s)
        server.push("Mark", ids.map { |id| [id] }, retry: 5)
        server.await_idle
        FileUtils.rm(File.join(server.dir, "storm"))
        kept = server.jobs_of(:retry).map { |job| job["args"].first }
        expect(server.count(:dead)).to eq(0)
        expect(ids - server.ledger - kept).to be_empty
        done = server.ledger
        expect(done.size - done.uniq.size).to eq(0)
        server.push("Meet", [[4]] * 4)
        server.eventually("all threads at once") { server.ledger.count("met") == 4 }
        expect(server.stop.exitstatus).to eq(0)
      end
    end

    it "run on while a job forks, and its children leave the engine alone" do
      forks = <<~'RUBY'
        class Fork
          include Footplate::Job

          # The child returns from here as well.
          def perform(id)
            child = Process.fork
            child ? (mark("#{id} #{Process.wait2(child).last.exitstatus}")) : mark("child of #{id}")
          end
        end

        class ForkBlock
          include Footplate::Job

          def perform(id)
            child = Process.fork { mark("child of #{id}") }
            mark("#{id} #{Process.wait2(child).last.exitstatus}")
          end
        end
        PARENT = Process.pid
        at_exit { mark("at_exit") if Process.pid == PARENT }
      RUBY
      Server.run(app + forks, threads: 3, path: path) do |server|
        server.start
        server.push("Fork", (1..20).map { |id| [id] }, retry: false)
        server.push("ForkBlock", (21..40).map { |id| [id] }, retry: false)
        server.push("Mark", (41..1_000).map { |id| [id] })
        server.await_idle
        expect(server.stop.exitstatus).to eq(0)
        forked = (1..40).flat_map { |id| ["#{id} 0", "child of #{id}"] }
        expect(server.ledger).to match_array(forked + (41..1_000).map(&:to_s) + ["at_exit"])
        expect(server.count(:processed)).to eq(1_000)
        expect(server.output.scan(/class=Fork .*: done/).size).to eq(20)
      end
    end

    it "may be a thousand" do
      Server.run(app, threads: 1_000, path: path) do |server|
        server.start
        server.push("Meet", [[1_000]] * 1_000)
        server.await_ledger(1_000, within: 60)
        expect(server.stop.exitstatus).to eq(0)
        expect(server.ledger.size).to eq(1_000)
      end
    end
  end
end

RSpec.describe "The engine's thread" do
  # By the name of a thread what proc_pid_stat(5) calls `policy`; 3 is SCHED_BATCH.
  def policies(pid)
    Dir["/proc/#{pid}/task/*/stat"].filter_map do |path|
      name, fields = File.read(path).match(/\((.*)\) (.*)/).captures
      [name, fields.split[38]]
    rescue Errno::ENOENT, Errno::ESRCH # the thread has ended
      nil
    end
  end

  it "takes no processor away from Redis or a worker that has just been woken" do
    Server.run("", threads: 2) do |server|
      server.start
      # The workers' names differ from one Sidekiq to the next; the engine's thread is there before them.
      engine, others = policies(server.pid).partition { |name, _| name == "footplate" }.map { |some| some.map(&:last) }
      usual = policies(Process.pid).first.last
      expect([engine, others.uniq]).to eq([[usual == "0" ? "3" : usual], [usual]])
      expect(server.stop.exitstatus).to eq(0)
    end
  end
end
