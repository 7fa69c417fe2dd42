# frozen_string_literal: true

require "footplate/server/replaced_parts/table"

module Footplate
  module Server
    ##
    # Finds what the application or its gems put in the place of parts of Sidekiq whose work Footplate does, or
    # changed in them: options that name a class (:fetch_class), modules prepended to Sidekiq's classes, methods
    # written over. For each, one sentence about what happens to it here. `footplate check` shows them, and boot
    # logs them as warnings.
    module ReplacedParts
      # part::    what was replaced, such as "fetch_class" or "Sidekiq::Launcher"
      # by::      the class, module or file that did
      # outcome:: one sentence
      # used::    whether it still does its work here
      Part = Struct.new(:part, :by, :outcome, :used, keyword_init: true) do
        def to_s
          "#{part} (#{by}): #{outcome}"
        end
      end

      class << self
        # @param facade [Facade::Base]
        # @return [Array<Part>]
        def find(facade)
          return [] unless facade.gem?

          options(facade) + Table::CLASSES.flat_map { |name, outcome| class_changes(name, outcome) }
        end

        # Whether modules were prepended to a class of the gem, or methods of it written over elsewhere.
        def changed?(klass)
          !prepended(klass).empty? || !overwritten(klass).empty?
        end

        # @param method [Method, UnboundMethod]
        def of_gem?(method)
          file = method.source_location&.first
          file.nil? || file.start_with?(gem_root)
        end

        private

        def options(facade)
          Table::OPTIONS.filter_map do |key, entry|
            value = facade[key] or next
            klass = value.is_a?(Module) ? value : value.class
            next if entry[:defaults].include?(klass.name)

            outcome = Table::FETCHERS.fetch(klass.name, entry[:outcome]) if key.to_s.start_with?("fetch")
            Part.new(part: key.to_s, by: klass.to_s, outcome: outcome || entry[:outcome], used: entry[:used])
          end
        end

        # Classes that nobody has loaded cannot have been changed.
        def class_changes(name, outcome)
          return [] unless Object.const_defined?(name)

          klass = Object.const_get(name)
          wrapped(klass, outcome) + overwritten(klass).map { |file| part(name, file, outcome) }
        end

        def wrapped(klass, outcome)
          wrapping = Table::WRAPPING[klass.name]
          prepended(klass).map do |found|
            known = Table::MODULES.fetch(found.name, wrapping || outcome)
            part(klass.name, found.to_s, known, used: !wrapping.nil?)
          end
        end

        def part(name, changer, outcome, used: false)
          Part.new(part: name, by: changer, outcome: outcome, used: used || Table::USED.include?(name))
        end

        def prepended(klass)
          klass.ancestors.take_while { |ancestor| ancestor != klass }
        end

        # @return [Array<String>] files
        def overwritten(klass)
          names = klass.instance_methods(false) + klass.private_instance_methods(false)
          # A method that a prepended module overrides still has the class's own beneath it.
          methods = names.map { |name| own_method(klass, name) }.compact
          methods.reject { |method| of_gem?(method) }.map { |method| method.source_location.first }.uniq
        end

        def own_method(klass, name)
          method = klass.instance_method(name)
          method = method.super_method until method.nil? || method.owner == klass
          method
        end

        # `…/lib/sidekiq`, as Ruby recorded it when it loaded the gem, symbolic links and all. Other gems have a
        # folder of that name, too, but in a lib of their own.
        def gem_root
          @gem_root ||= $LOADED_FEATURES.find { |file| file.end_with?("/sidekiq/version.rb") }.to_s
                                        .delete_suffix("/version.rb")
        end
      end
    end
  end
end
