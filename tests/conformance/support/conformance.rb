# frozen_string_literal: true

require_relative "door"
require_relative "generation"
require_relative "jobs"
require_relative "world"

##
# The server judged from outside, through both doors with the same expectations. What differs between the
# generations of Sidekiq is asked of Generation.
#
#   Conformance.describe "quiet" do
#     app "class Slow; include JobModule; def perform = hold('slow'); end"
#     scenario { start("-c", "1"); push("Slow"); … }    # once for the group
#     it("…") { expect(queue).to eq(…) }
#   end
module Conformance
  World.include(Jobs)

  # In groups.
  module Groups
    # @param code [String] the jobs of the application
    def app(code = "", files: {}, redis: -> { OwnRedis.start })
      door = metadata[:door]
      before(:context) { @world = World.new(door, code, files: files, redis: redis.call) }
      after(:context) { @world&.close }
    end

    # What happens, once, before the examples look at what it left.
    def scenario(&block)
      before(:context, &block)
    end
  end

  # In examples and scenarios.
  module Examples
    World.public_instance_methods(false).union(Jobs.public_instance_methods).each do |name|
      next if name == :close

      define_method(name) do |*args, **options, &block|
        @world.public_send(name, *args, **options, &block)
      end
    end

    def server
      servers.last
    end

    def generation?(wanted)
      Generation.at_least?(wanted)
    end

    # Of times in payloads.
    def time_type
      Generation.milliseconds? ? Integer : Float
    end

    def door
      self.class.metadata[:door]
    end
  end

  # @param since [String] the first version of Sidekiq that has what is described
  def self.describe(title, since: nil, needs: nil, &block)
    from = caller
    Door.all.each do |door|
      missing = door.missing || reason(since, needs)
      RSpec.describe("#{title} (#{door.name})", door: door, caller: from) do
        next it("is not tried here") { skip missing } if missing

        extend Groups
        include Examples
        class_exec(&block)
      end
    end
  end

  def self.reason(since, needs)
    return "Sidekiq #{since} and newer have it; here is #{Generation.version}" if since && !Generation.at_least?(since)

    absent = Array(needs).reject { |name| InstalledGems.has?(name) }
    "not installed: #{absent.join(", ")}" unless absent.empty?
  end
end
