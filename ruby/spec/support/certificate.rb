# frozen_string_literal: true

require "fileutils"
require "openssl"
require "tmpdir"

# A certificate for 127.0.0.1 that signs itself, in files of a temporary directory.
class Certificate
  attr_reader :file, :key_file

  def initialize
    @dir = Dir.mktmpdir("footplate-tls")
    @file = File.join(@dir, "cert.pem")
    @key_file = File.join(@dir, "key.pem")
    key = OpenSSL::PKey::RSA.new(2048)
    File.write(@key_file, key.to_pem)
    File.write(@file, certificate(key).to_pem)
  end

  def remove
    FileUtils.remove_entry(@dir)
  end

  private

  def certificate(key)
    cert = OpenSSL::X509::Certificate.new
    cert.version = 2
    cert.serial = 1
    cert.subject = cert.issuer = OpenSSL::X509::Name.parse("/CN=127.0.0.1")
    cert.public_key = key.public_key
    cert.not_before = Time.now - 60
    cert.not_after = Time.now + 3600
    extend_for_address(cert)
    cert.sign(key, OpenSSL::Digest.new("SHA256"))
  end

  def extend_for_address(cert)
    factory = OpenSSL::X509::ExtensionFactory.new(cert, cert)
    cert.add_extension(factory.create_extension("basicConstraints", "CA:TRUE", true))
    cert.add_extension(factory.create_extension("subjectAltName", "IP:127.0.0.1"))
  end
end
