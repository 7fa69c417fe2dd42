# frozen_string_literal: true

module Footplate
  module Server
    module ReplacedParts
      ##
      # What becomes of each replaceable part. Sentences for people; kept apart from the search.
      module Table
        # Options that name a class or hold an object, with the classes that are the gem's own.
        OPTIONS = {
          fetch_class: {
            defaults: ["Sidekiq::BasicFetch"], used: false,
            outcome: "not used; Footplate takes jobs from Redis itself, and what else this class does is left out."
          },
          fetch: { # Sidekiq 6
            defaults: ["Sidekiq::BasicFetch"], used: false,
            outcome: "not used; Footplate takes jobs from Redis itself, and what else this class does is left out."
          },
          job_logger: {
            defaults: ["Sidekiq::JobLogger"], used: true,
            outcome: "used for every job, through Ruby."
          },
          scheduled_enq: {
            defaults: ["Sidekiq::Scheduled::Enq"], used: false,
            outcome: "not used; Footplate moves due jobs itself, one atomic step each, with client middleware."
          }
        }.freeze

        # Fetchers that are known by name. Those that exist to lose no job have nothing left to do.
        FETCHERS = {
          "Sidekiq::ReliableFetch" => "not needed; Footplate's own claims are reliable.",
          "Sidekiq::SemiReliableFetch" => "not needed; Footplate's own claims are reliable.",
          "Sidekiq::Pro::SuperFetch" => "not needed; Footplate's own claims are reliable.",
          "Sidekiq::LimitFetch" => "not used; its limits and pauses per queue have no effect, use capsules for limits."
        }.freeze

        # Classes whose work is Footplate's, and what is lost of a change to them.
        CLASSES = {
          "Sidekiq::BasicFetch" => "not called; Footplate takes jobs from Redis itself.",
          "Sidekiq::Processor" => "not called; Footplate's own worker threads run the jobs. Middleware is what stays.",
          "Sidekiq::JobRetry" => "not called; Footplate decides about retries by the same rules and options.",
          "Sidekiq::Manager" => "not called; Footplate starts and stops the worker threads.",
          "Sidekiq::Launcher" => "not called; Footplate's own launcher does this work.",
          "Sidekiq::Scheduled::Poller" => "not called; Footplate moves due jobs itself.",
          "Sidekiq::Scheduled::Enq" => "not called; Footplate moves due jobs itself.",
          "Sidekiq::JobLogger" => "used as it is now for every job, through Ruby.",
          "Sidekiq::Metrics::Middleware" =>
            "not called; Footplate counts executions itself while the class is in the chain.",
          "Sidekiq::Job::InterruptHandler" =>
            "not called; Footplate hands interrupted jobs back itself while the class is in the chain.",
          "Sidekiq::Client" => "called for pushes from jobs, but not for jobs that leave the schedule or the retry set."
        }.freeze

        # The gem's classes that are used when somebody has changed them (Facade::WithGem#job_logger).
        USED = ["Sidekiq::JobLogger"].freeze

        # Classes of which an instance stands around Footplate's own work, so that modules prepended to them go on
        # working (Server::GemLauncher).
        WRAPPING = {
          "Sidekiq::Launcher" => "called around Footplate's own run, quiet and stop."
        }.freeze

        # Modules that are known by name.
        MODULES = {
          "Sidekiq::Throttled::Patches::BasicFetch" =>
            "not called; jobs are taken without asking for a throttle. Its middleware still counts them."
        }.freeze
      end
    end
  end
end
