# frozen_string_literal: true

require "socket"
require "tmpdir"

##
# A redis-server of one's own: on a unix socket (and, when asked, a TCP port) in a temporary directory, without
# persistence. Speaks to it without any gem. Needs nothing of Footplate, so that every suite can use it.
#
#   redis = RedisServer.start
#   redis.url                      # => "unix:///tmp/…/redis.sock"
#   redis.call("LLEN", "queue:default")
#   redis.stop                     # also done when the process that started it ends
class RedisServer
  class Error < StandardError; end

  READY = /ready to accept connections|sentinel runid|sentinel id/i

  attr_reader :dir, :socket, :port, :pid

  # @param tcp [Boolean] also listen on a free port of 127.0.0.1
  # @param program [String] "redis-server" or "valkey-server"; FOOTPLATE_TEST_REDIS_SERVER chooses for all
  # @param arguments [Array<String>] more of its command line
  def self.start(*arguments, tcp: false, program: ENV.fetch("FOOTPLATE_TEST_REDIS_SERVER", "redis-server"))
    new(arguments, tcp: tcp, program: program).tap(&:start)
  end

  def self.free_port
    TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
  end

  def initialize(arguments, tcp:, program:)
    @arguments = arguments
    @program = program
    @port = tcp ? self.class.free_port : 0
    @owner = Process.pid
    @dir = Dir.mktmpdir("footplate-redis")
    @socket = File.join(@dir, "redis.sock")
  end

  # Returns when it accepts connections: it says so on its standard output, so nothing has to be guessed.
  def start
    reader, writer = IO.pipe
    @pid = Process.spawn(*command, chdir: @dir, in: File::NULL, out: writer, err: writer)
    writer.close
    at_exit { stop }
    output = +""
    output << (reader.gets || raise(Error, "#{@program} did not start:\n#{output}")) until output.match?(READY)
    # Whatever it still says must not fill the pipe.
    Thread.new { IO.copy_stream(reader, File::NULL) }
  end

  def url
    "unix://#{@socket}"
  end

  def tcp_url
    "redis://127.0.0.1:#{@port}/0"
  end

  # Sends one command on a connection of this helper. Replies as in RESP2.
  # @raise [Error] for an error reply
  def call(*command)
    @io ||= UNIXSocket.new(@socket)
    @io.write("*#{command.size}\r\n", *command.map { |part| "$#{part.to_s.bytesize}\r\n#{part}\r\n" })
    read_reply
  end

  # Ends the server. Forked children of the owner leave it alone.
  def stop
    return unless @pid && Process.pid == @owner

    Process.kill(:TERM, @pid)
    Process.wait(@pid)
    @pid = nil
    FileUtils.remove_entry(@dir)
  end

  private

  def command
    [@program, *@arguments.grep(/\.conf\z/), "--port", @port.to_s, "--bind", "127.0.0.1", "--unixsocket", @socket,
     "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", @dir, *@arguments.grep_v(/\.conf\z/)]
  end

  def read_reply
    type, rest = @io.gets("\r\n").chomp.then { |line| [line[0], line[1..]] }
    case type
    when "+" then rest
    when "-" then raise Error, rest
    when ":" then Integer(rest)
    when "$" then rest == "-1" ? nil : @io.read(Integer(rest) + 2).chomp("\r\n").force_encoding("UTF-8")
    when "*" then rest == "-1" ? nil : Array.new(Integer(rest)) { read_reply }
    end
  end
end
