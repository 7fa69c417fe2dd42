# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Arguments, paths, names and messages are bytes. Without a locale Ruby labels those that come from the system as
    # US-ASCII, and refuses to join them with others. Here all of them are labelled UTF-8, which changes no byte and
    # lets them be joined.
    module Text
      module_function

      # @param bytes [String, nil]
      # @return [String, nil] the same bytes
      def utf8(bytes)
        return bytes if bytes.nil? || bytes.encoding == Encoding::UTF_8

        bytes.dup.force_encoding(Encoding::UTF_8)
      end

      # @param value [Object] as Native.parse wrote it; a path that is no UTF-8 is an array of its bytes
      def from_json(value)
        value.is_a?(Array) && value.first.is_a?(Integer) ? utf8(value.pack("C*")) : value
      end

      # @return [String] valid UTF-8, for people: invalid bytes are replaced
      def readable(object)
        text = object.to_s
        case text.encoding
        when Encoding::UTF_8, Encoding::US_ASCII, Encoding::BINARY then utf8(text).scrub
        else text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
        end
      rescue EncodingError
        utf8(text.b).scrub
      end

      # @return [Object] with each String in it, at any depth, made readable
      def readable_all(object)
        case object
        when Hash then object.transform_values { |value| readable_all(value) }
        when Array then object.map { |value| readable_all(value) }
        when String then readable(object)
        else object
        end
      end

      # As File.expand_path, which fails when the current folder's name and the path have different encodings.
      # @raise [Errno::ENOENT] for a relative path in a folder that was deleted
      def expand_path(path)
        path = utf8(path)
        File.expand_path(path.start_with?("/") ? path : File.join(utf8(Dir.pwd), path))
      end

      # @return [String, nil] the current folder, unless it was deleted
      def current_folder
        utf8(Dir.pwd)
      rescue SystemCallError
        nil
      end
    end
  end
end
