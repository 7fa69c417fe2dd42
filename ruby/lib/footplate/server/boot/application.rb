# frozen_string_literal: true

require "footplate/server/boot/boot_error"
require "footplate/server/text"

module Footplate
  module Server
    ##
    # Loads the application whose jobs are to run.
    #
    # 1. prepare: before anything of the application, Sidekiq::CLI is defined by loading the gem's own file, so
    #    that Sidekiq.server? is true and configure_server blocks run; that is all the gem is asked to do.
    #    Without the gem, Footplate.server? becomes true in its stead.
    # 2. check: is there something to load?
    # 3. boot: load it, a Rails folder or a Ruby file.
    class Application
      # The gem's file, and where it says what it is.
      GEM = "sidekiq/cli"

      # Chooses between the gem and none. Under Bundler the bundle decides; else what is installed.
      # @return [Boolean] whether the gem was found
      def self.prepare
        # Sidekiq 6 and 7 read it in class bodies (`private unless $TESTING`); as in the gem's executable.
        $TESTING = false # rubocop:disable Style/GlobalVars
        $stdout.sync = true
        require GEM
        true
      rescue LoadError => e
        raise unless e.path == GEM

        require "footplate"
        Footplate.server!
        false
      end

      # @param settings [Settings]
      # @param facade [Facade::Base]
      def initialize(settings, facade)
        @settings = settings
        @facade = facade
        @path = settings.require_path
      end

      # @raise [BootError] when there is no application at the given place
      def check
        # Ruby itself would claim that there is no such file.
        raise BootError, "#{@path} cannot be read: Permission denied" if File.exist?(@path) && !File.readable?(@path)
        return if loadable? || File.file?(rails_file("application.rb"))

        raise BootError,
              "#{missing}. Run this in the folder of a Rails application, or say with -r which folder or Ruby file " \
              "loads the jobs."
      end

      # @raise whatever the application raises
      def boot
        @settings.export_environment
        rails? ? boot_rails : boot_file
      end

      def rails?
        File.directory?(@path)
      end

      # @return [String, nil] Rails's version, once it is loaded
      def rails_version
        ::Rails.version if defined?(::Rails) && ::Rails.respond_to?(:application)
      end

      # A folder's name; in a Capistrano release (`…/shop/releases/20240102030405`) the application's.
      def self.default_tag(dir)
        dir = Text.readable(dir)
        name = File.basename(dir)
        parent = File.dirname(dir)
        release = name.to_i != 0 && File.basename(parent) == "releases"
        release ? File.basename(File.dirname(parent)) : name
      end

      private

      # Whether `require`, which adds the ending if need be, would find a file.
      def loadable?
        File.file?(@path) && [@path, "#{@path}.rb"].any? { |path| path.end_with?(".rb", ".so") && File.file?(path) }
      end

      # @return [String]
      def missing
        return "The current folder was deleted" if Text.current_folder.nil? && !@path.start_with?("/")
        return "#{@path} is no Ruby file: its name does not end in .rb" if File.file?(@path)
        return "#{@path} holds no Rails application (no config/application.rb)" if File.directory?(@path)

        "There is no #{@path}"
      end

      # Rails first and the gem's railtie before the application, as the gem's command line does it.
      def boot_rails
        require "rails"
        require(@facade.gem? ? "sidekiq/rails" : "footplate/railtie")
        require Text.expand_path(rails_file("environment.rb"))
        tag(::Rails.root.to_s)
      end

      def boot_file
        Integration.await_active_job { require Text.expand_path(@path) }
        tag(Text.current_folder) if @facade.tags_files?
      end

      def tag(dir)
        @facade.default_tag(self.class.default_tag(dir)) if dir
      end

      def rails_file(name)
        File.join(@path, "config", name)
      end
    end
  end
end
