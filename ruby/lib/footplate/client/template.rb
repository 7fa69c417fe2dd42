# frozen_string_literal: true

module Footplate
  class Client
    ##
    # The JSON of jobs that differ in nothing but their arguments and jid: what they have in common is encoded once.
    class Template
      # One less than JSON's own limit, since the arguments stand in the payload's object.
      NESTING = 99

      # @param payload [Hash{String => Object}] with "args" and, after it, "jid"; their values do not matter
      def initialize(payload)
        args, jid = Array.new(2) { SecureRandom.hex }
        json = Payload.dump(payload.merge("args" => args, "jid" => jid))
        @before, @between, @after = json.split(/"(?:#{args}|#{jid})"/, -1)
        @state = ::JSON::State.new(max_nesting: NESTING)
      end

      # @raise see Payload.dump
      def dump(args, jid)
        "#{@before}#{@state.generate(args)}#{@between}\"#{jid}\"#{@after}"
      end
    end
  end
end
