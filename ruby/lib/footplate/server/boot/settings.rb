# frozen_string_literal: true

require "footplate/server/boot/boot_error"
require "footplate/server/boot/config_file"
require "footplate/server/boot/known_keys"
require "footplate/server/boot/numbers"
require "footplate/server/boot/queue_list"
require "footplate/server/boot/settings_check"
require "footplate/server/text"

module Footplate
  module Server
    ##
    # What flags, settings files and the environment say together, before the application is loaded (which may still
    # change all of it). Precedence: flags, then config/footplate.yml, then config/sidekiq.yml (in each file the
    # environment's section before the top level), then RAILS_MAX_THREADS, then the defaults of the loaded Sidekiq. With
    # -C only that file is read.
    class Settings
      # @return [String] -e, APP_ENV, RAILS_ENV, RACK_ENV or "development", in this order
      attr_reader :environment
      # @return [Hash{Symbol => Object}] everything, unknown keys included, as Sidekiq's own command line would
      #   merge it into its configuration; queues as they were written, numbers as numbers
      attr_reader :options
      # @return [Array<String>] paths of the files that were read, the weaker first
      attr_reader :files
      # @return [Array<String>] lines for the operator
      attr_reader :warnings

      # @param typed [Hash{Symbol => Object}] what Native.parse answered: only what was typed
      # @param env [Hash{String => String}]
      # @raise [BootError] for a value that makes no sense
      def initialize(typed = {}, env: ENV)
        @typed = typed
        @env = env
        @warnings = [*typed[:warnings], *QueueList.doubts(typed[:queues], "-q", "each queue has a -q of its own")]
        @check = SettingsCheck.new(@warnings)
        @environment = named_environment
        @options = resolve
      end

      # @return [String] the application: a folder, or a Ruby file
      def require_path
        (options[:require] || ".").to_s
      end

      # Whether to log at debug level. DEBUG_INVOCATION comes from systemd's RestartMode=debug (Sidekiq 8).
      def verbose?
        !!options[:verbose] || @env["DEBUG_INVOCATION"] == "1"
      end

      # @return [Integer, nil] threads of the default capsule; nil when nobody said how many
      def concurrency
        options[:concurrency]
      end

      # @return [Array<Array(String, Integer)>] of the default capsule: name and weight
      def queues
        QueueList.parse(options[:queues])
      end

      # @return [Hash{String => Hash}] :concurrency and :queues (as #queues) of the capsules in the files
      def capsules
        (options[:capsules] || {}).to_h do |name, capsule|
          [name.to_s, { concurrency: capsule[:concurrency], queues: QueueList.parse(capsule[:queues]) }]
        end
      end

      # @return [Hash{Symbol => Numeric}] Footplate's own intervals and limits, only those that were set
      def tuning
        options.slice(*KnownKeys::TUNING)
      end

      # RACK_ENV and RAILS_ENV are set for the application, as Sidekiq does; APP_ENV is left alone.
      def export_environment
        ENV["RACK_ENV"] = ENV["RAILS_ENV"] = environment
      end

      private

      def named_environment
        name = @typed[:environment] || @env["APP_ENV"] || @env["RAILS_ENV"] || @env["RACK_ENV"] || "development"
        Text.utf8(name).tap do |text|
          raise BootError, "environment: #{text.scrub.inspect} must be UTF-8" unless text.valid_encoding?
        end
      end

      def resolve
        merged = read_files.merge(@typed.except(:warnings))
        # Otherwise as written, because applications read it back.
        merged[:queues] = ["default"] if QueueList.parse(merged[:queues]).empty?
        threads_from_environment(merged)
        @check.numbers(merged)
        @check.capsules(merged[:capsules])
        merged
      end

      def read_files
        files = @typed[:config_file] ? [ConfigFile.new(@typed[:config_file])] : ConfigFile.find(root)
        @files = files.map(&:path)
        files.map { |file| read(file) }.reduce({}, :merge)
      end

      def read(file)
        file.read(environment).tap do |hash|
          @warnings.concat(KnownKeys.misspelt(hash, file.path))
          @check.queues(hash[:queues], "#{file.path}: queues")
        end
      end

      def root
        path = @typed[:require].to_s
        File.directory?(path) ? path : "."
      end

      def threads_from_environment(merged)
        return unless merged[:concurrency].nil?

        threads = @env["RAILS_MAX_THREADS"]
        return merged.delete(:concurrency) if threads.nil?

        merged[:concurrency] = Numbers.threads("RAILS_MAX_THREADS", threads)
      end
    end
  end
end
