# frozen_string_literal: true

require "tempfile"
require "footplate/server/boot/boot_error"

module Footplate
  module Server
    module RedisSettings
      ##
      # Turns `ssl_params`, which are arguments of OpenSSL's SSLContext, into the engine's TlsSettings: ca_file,
      # cert_file, key_file, verify. The engine reads files only.
      module Tls
        KNOWN = %i[ca_file cert key verify_mode].freeze
        PLAIN = "The Redis connection has ssl_params but no TLS, for the application as for the engine; rediss:// in " \
                "the URL, or ssl: true, turns it on."

        module_function

        # @param params [Hash, nil]
        # @raise [BootError] for a file that cannot be read
        # @return [Hash{Symbol => Object}] empty means: the system's authorities, verified
        def read(params)
          params = (params || {}).transform_keys(&:to_sym)
          # OpenSSL::SSL::VERIFY_NONE is 0; not loaded for the sake of one number.
          { ca_file: readable(:ca_file, params[:ca_file]), cert_file: file(:cert, params[:cert]),
            key_file: file(:key, params[:key]),
            verify: params.key?(:verify_mode) ? params[:verify_mode] != 0 : nil }.compact
        end

        # @param settings [Hash{Symbol => Object}] with :ssl_params
        # @return [Array<String>] a sentence for each parameter that the engine cannot follow
        def warnings(settings)
          params = settings[:ssl_params] || {}
          return [PLAIN] unless settings[:tls] || params.empty?

          (params.keys.map(&:to_sym) - KNOWN).map do |key|
            "ssl_params[:#{key}] is not used by the engine, which knows ca_file, cert, key and verify_mode."
          end
        end

        # OpenSSL's own error for a missing file is "system lib".
        def readable(name, path)
          return path&.to_s if path.nil? || File.readable?(path.to_s)

          raise BootError, "ssl_params[:#{name}] of the Redis connection: #{path} cannot be read"
        end
        private_class_method :readable

        # A path is passed on. A certificate or key in memory gets a file without a name, which only this
        # process can open and which is gone when it ends.
        def file(name, value)
          return readable(name, value) unless value.respond_to?(:to_pem)

          @kept ||= {}.compare_by_identity
          held = @kept[value] ||= Tempfile.new("footplate-tls").tap { |file| file.write(value.to_pem) && file.flush }
          path = "/proc/self/fd/#{held.fileno}"
          return held.path unless File.exist?(path)

          held.unlink
          path
        end
        private_class_method :file
      end
    end
  end
end
