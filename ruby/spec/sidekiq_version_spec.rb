# frozen_string_literal: true

require "spec_helper"

RSpec.describe Footplate::SidekiqVersion do
  # The last version without, and the first with.
  {
    retry_in_decides?: %w[6.5.1 6.5.2],
    capsules?: %w[6.5.12 7.0.0],
    default_job_options?: %w[6.5.12 7.0.0],
    makes_middleware_first?: %w[6.5.12 7.0.0],
    capsule_in_thread_names?: %w[6.5.12 7.0.0],
    error_handlers_without_jobstr?: %w[6.5.12 7.0.0],
    retry_in_takes_payload?: %w[7.0.7 7.0.8],
    sidekiq_in_thread_names?: %w[7.0.9 7.1.0],
    blocks_of_wrapped?: %w[7.1.2 7.1.3],
    exhausted_decides?: %w[7.1.6 7.2.0],
    skips_job_logging?: %w[7.2.4 7.3.0],
    milliseconds?: %w[7.3.10 8.0.0],
    tags_files?: %w[7.3.10 8.0.0],
    discard_is_death?: %w[8.0.6 8.0.7],
    stamps_discards?: %w[8.0.7 8.0.8]
  }.each do |predicate, (before, since)|
    it "knows #{predicate} from #{since} on" do
      expect(described_class.new(before).public_send(predicate)).to be(false)
      expect(described_class.new(since).public_send(predicate)).to be(true)
      expect(described_class::NEWEST.public_send(predicate)).to be(true)
    end
  end

  it "counts a prerelease as the release that it leads to, as the engine does" do
    version = described_class.new("8.0.0.beta1")
    expect([version.milliseconds?, version.discard_is_death?, version.to_s]).to eq([true, false, "8.0.0.beta1"])
    expect(described_class.new("7.1").sidekiq_in_thread_names?).to be(true)
  end

  it "knows no more about chains than those of 8" do
    expect(described_class.new("9.0.0").makes_middleware_first?).to be(false)
  end

  it "is the loaded gem's, else the newest" do
    expected = defined?(Sidekiq::VERSION) ? Sidekiq::VERSION : "8.1.7"
    expect(described_class.loaded.to_s).to eq(expected)
  end
end
