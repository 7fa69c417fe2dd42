# frozen_string_literal: true

require "uri"
require "footplate/server/text"

module Footplate
  module Server
    ##
    # Hides passwords in what leaves the process (reports, banner, errors), whoever wrote it. In a broken URL nobody
    # knows where the password ends, so everything up to the last `@` counts as one.
    module Secrets
      HIDDEN = "REDACTED"

      # `scheme://user:password@`, up to the last `@` before another URL or the line's end.
      # The path of a socket may contain an `@`, too.
      URL = %r{(?!unix:///)(\b[a-z][a-z0-9+.-]*://)((?:(?!\s[a-z][a-z0-9+.-]*://)[^\r\n])+)@}i
      # What a gem quotes, with or without a scheme.
      QUOTED = %r{"((?!unix:///)(?:\\.|[^"\\])+)@((?:\\.|[^"\\@])*)"}
      SCHEMELESS = %r{(?<![\w:])(?!unix:)([\w.+-]*):(?!//)[^\s:@][^\s]*@(?=\S)}
      # The same with nothing before the password, where a port follows the host.
      BARE = %r{(?<![\w@.+-])[^\s"'`(<:@/=]+@(?=[\w.-]+:\d)}
      OPTION = /((?:\bpass|password|passwd|secret|[?&]auth)["']?\s*(?:=>|[:=])\s*)
                (?:"(?:\\.|[^"\\])*"|'[^']*'|[^\s,;}\])]+)/ix
      # A server or proxy that does not know the command with which a client authenticates quotes its arguments.
      ARGUMENTS = /(unknown command\W+(?:AUTH|HELLO)\b.*?with args beginning with:).*/i
      private_constant :URL, :QUOTED, :SCHEMELESS, :BARE, :OPTION, :ARGUMENTS

      # Shorter passwords may be words of any text.
      LEAST = 6

      module_function

      # @param text [Object] as an error has it
      # @return [String] valid UTF-8
      def hide(text)
        hidden = known.reduce(Text.readable(text)) { |rest, secret| without(rest, secret) }
        hidden = hidden.gsub(QUOTED) { quoted(Regexp.last_match(1), Regexp.last_match(2)) }
        hidden = hidden.gsub(URL, "\\1#{HIDDEN}@").gsub(SCHEMELESS, "\\1:#{HIDDEN}@").gsub(BARE, "#{HIDDEN}@")
        hidden.gsub(OPTION, "\\1#{HIDDEN}").gsub(ARGUMENTS, "\\1 #{HIDDEN}")
      end

      # From now on this password of a connection is hidden, whatever stands around it.
      # @param password [String, nil]
      def remember(password)
        @remembered = [*@remembered, password].uniq if password.to_s.size >= LEAST
      end

      # @return [Boolean] whether clients may take a part of the password for the host, the path or the rest
      def misleading?(url)
        uri = URI(url.to_s)
        return false if uri.scheme == "unix"

        [uri.host, uri.path, uri.query, uri.fragment, uri.opaque].any? { |part| part.to_s.include?("@") }
      rescue URI::Error
        true
      end

      # What is secret in the environment's URLs: all that stands before the `@`, the password in it and, if the URL may
      # be misread, each word of it. Also what was remembered. The longest comes first.
      def known
        named = ENV.values_at("REDIS_URL", *ENV.fetch("REDIS_PROVIDER", nil)).compact
        urls = [*named, *ENV.values].map { |value| Text.readable(value) }
        urls.keep_if { |value| value.include?("@") && (value.include?("://") || named.include?(value)) }
        [*urls.flat_map { |url| secrets_of(url) }, *@remembered].uniq.sort_by { |secret| -secret.size }
      end
      private_class_method :known

      def secrets_of(url)
        before = url[%r{\A(?:[a-z][a-z0-9+.-]*:)?/*(.*)@}im, 1].to_s
        return [] if before.empty?

        words = url.start_with?("redis") && misleading?(url) ? before.split(%r{[/:?#@\s"]+}) : []
        password = before[/:(.{#{LEAST},})\z/om, 1].to_s
        [before, before.inspect[1..-2], password, password.inspect[1..-2], *words].reject(&:empty?)
      end
      private_class_method :secrets_of

      # Not within a longer word.
      def without(text, secret)
        text.include?(secret) ? text.gsub(/(?<!\w)#{Regexp.escape(secret)}(?!\w)/, HIDDEN) : text
      end
      private_class_method :without

      def quoted(before, after)
        "\"#{before[%r{\A[a-z][a-z0-9+.-]*://}i]}#{HIDDEN}@#{after}\""
      end
      private_class_method :quoted
    end
  end
end
