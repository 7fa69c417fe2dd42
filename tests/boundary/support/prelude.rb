# frozen_string_literal: true

# What every application of these tests begins with. `mark` writes to the ledger; FOOTPLATE_PATH=ruby puts a
# middleware around every job, so that none runs natively.
require "footplate"
# The command line loads the sidekiq gem where there is one; then it is the gem whose middleware counts.
APP = defined?(Sidekiq) ? Sidekiq : Footplate
APP.configure_server { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }
LEDGER = File.open(ENV.fetch("LEDGER"), "a")

# Ruby protects the pages it compacts, and a system call that meets one fails instead of waiting.
def mark(text)
  LEDGER.syswrite("#{text}\n")
rescue Errno::EFAULT
  retry
end

class Around
  def call(*) = yield
end
if ENV["FOOTPLATE_PATH"] == "ruby"
  APP.configure_server { |config| config.server_middleware { |chain| chain.add(Around) } }
end
