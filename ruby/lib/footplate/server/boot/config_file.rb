# frozen_string_literal: true

require "erb"
require "yaml"
require "footplate/server/boot/boot_error"
require "footplate/server/text"

module Footplate
  module Server
    ##
    # One settings file: config/sidekiq.yml or config/footplate.yml, also with .erb behind it.
    #
    # 1. bytes to text: UTF-8, whatever the locale; with a byte order mark also UTF-16
    # 2. ERB. Trim mode "-" for every version: Sidekiq 6 has none, and a file that works without it says
    #    the same with it.
    # 3. YAML, safe but for Symbols and aliases
    # 4. all keys symbols, in nested hashes too
    # 5. the section that is called like the environment, merged over the rest
    #
    # Keys that nobody here knows are kept: other gems read them (`config[:scheduler]`).
    class ConfigFile
      NAMES = %w[sidekiq.yml sidekiq.yml.erb].freeze
      OWN_NAMES = %w[footplate.yml footplate.yml.erb].freeze

      # @return [String] as given
      attr_reader :path

      # The files that count when no -C was given, the weaker first.
      # @param root [String] the folder of the application
      # @return [Array<ConfigFile>]
      def self.find(root)
        [NAMES, OWN_NAMES].filter_map do |names|
          path = names.map { |name| File.join(root, "config", name) }.find { |candidate| File.exist?(candidate) }
          new(path) if path
        end
      end

      # @raise [BootError] when there is no such file
      def initialize(path)
        raise BootError, "#{path} is a folder, not a settings file" if File.directory?(path)
        raise BootError, "No such file #{path}" unless File.file?(path)

        @path = path
      end

      # @param environment [String]
      # @return [Hash{Symbol => Object}]
      # @raise [BootError] naming file and line
      def read(environment)
        hash = parse(evaluate(content)) || {}
        refuse("must hold keys and values, not #{hash.class}") unless hash.is_a?(Hash)

        symbolize(hash)
        section = hash.delete(environment.to_sym) || {}
        refuse("the section #{environment} must hold keys and values, not #{section.class}") unless section.is_a?(Hash)

        # Sidekiq derives it from the weights and ignores it here.
        hash.merge(section).tap { |merged| merged.delete(:strict) }
      end

      private

      def content
        text = File.read(@path, mode: "rb:BOM|UTF-8")
        wrong = text.lines.index { |line| !line.valid_encoding? }
        refuse("is not in UTF-8; save it so", wrong + 1) if wrong

        text.encode(Encoding::UTF_8)
      rescue SystemCallError => e
        # Anew, for a message without the name of a system call.
        refuse("cannot be read: #{e.class.new.message}")
      end

      def evaluate(text)
        erb = ERB.new(text, trim_mode: "-")
        erb.filename = @erb_name = Text.expand_path(@path)
        # A variable's value comes with the encoding that the locale gives it.
        Text.utf8(erb.result)
      rescue StandardError, SyntaxError => e
        refuse("#{e.class}: #{e.message.lines.first&.chomp}", line_of(e))
      end

      def parse(text)
        YAML.safe_load(text, permitted_classes: [Symbol], aliases: true, filename: @path)
      rescue Psych::SyntaxError => e
        refuse([e.problem, e.context].compact.join(" "), e.line)
      rescue Psych::Exception => e
        # A date or an object, which YAML sees in some unquoted values.
        refuse("#{e.message}; put the value in quotes")
      end

      def symbolize(hash)
        hash.keys.each do |key| # rubocop:disable Style/HashEachMethods -- the hash changes meanwhile
          value = hash.delete(key)
          symbolize(value) if value.is_a?(Hash)
          hash[key.respond_to?(:to_sym) ? key.to_sym : key] = value
        end
      end

      def line_of(error)
        error.backtrace_locations&.find { |location| location.path == @erb_name }&.lineno
      end

      def refuse(problem, line = nil)
        raise BootError, "#{[@path, line].compact.join(":")}: #{problem}"
      end
    end
  end
end
