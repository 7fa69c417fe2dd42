# frozen_string_literal: true

require "footplate/server/boot/application"
require "footplate/server/boot/settings"
require "footplate/server/facade"
require "footplate/server/replaced_parts"
require "footplate/server/run/systemd"

module Footplate
  module Server
    ##
    # From what was typed to a loaded application, in the order of Sidekiq's own command line: the gem, flags and
    # files, the gem's configuration, the application. `footplate` and `footplate check` share it.
    class Boot
      # @return [Settings]
      attr_reader :settings
      # @return [Facade::Base]
      attr_reader :facade
      # @return [Application]
      attr_reader :application

      # Loads the gem and resolves the settings; nothing of the application yet.
      # @param typed [Hash{Symbol => Object}] what Native.parse answered
      # @raise [BootError]
      def initialize(typed)
        Application.prepare
        @settings = Settings.new(typed)
        @facade = Facade.detect
        @facade.apply(@settings)
        @facade.debug! if @settings.verbose?
        @application = Application.new(@settings, @facade)
        @application.check
      end

      # @param notify [Boolean] whether to talk to systemd
      # @raise whatever the application raises
      def load_application(notify: true)
        Systemd.attach(facade) if notify
        application.boot
        facade.check_redis
      end

      # @return [Array<ReplacedParts::Part>]
      def replaced_parts
        @replaced_parts ||= ReplacedParts.find(facade)
      end
    end
  end
end
