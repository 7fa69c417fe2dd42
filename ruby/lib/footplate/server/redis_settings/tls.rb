# frozen_string_literal: true

require "tempfile"

module Footplate
  module Server
    module RedisSettings
      ##
      # Turns `ssl_params`, which are arguments of OpenSSL's SSLContext, into the engine's TlsSettings: ca_file,
      # cert_file, key_file, verify. The engine reads files only.
      module Tls
        KNOWN = %i[ca_file cert key verify_mode].freeze

        module_function

        # @param params [Hash, nil]
        # @return [Hash{Symbol => Object}] empty means: the system's authorities, verified
        def read(params)
          params = (params || {}).transform_keys(&:to_sym)
          # OpenSSL::SSL::VERIFY_NONE is 0; not loaded for the sake of one number.
          { ca_file: params[:ca_file]&.to_s, cert_file: file(params[:cert]), key_file: file(params[:key]),
            verify: params.key?(:verify_mode) ? params[:verify_mode] != 0 : nil }.compact
        end

        # @return [Array<String>] a sentence for each parameter that the engine cannot follow
        def warnings(params)
          ((params || {}).keys.map(&:to_sym) - KNOWN).map do |key|
            "ssl_params[:#{key}] is not used by the engine, which knows ca_file, cert, key and verify_mode."
          end
        end

        # A path is passed on. A certificate or key in memory gets a file without a name, which only this
        # process can open and which is gone when it ends.
        def file(value)
          return value&.to_s unless value.respond_to?(:to_pem)

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
