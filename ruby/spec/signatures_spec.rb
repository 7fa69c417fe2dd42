# frozen_string_literal: true

require "footplate/native"
begin
  require "rbs"
rescue LoadError
  nil # it comes with most Rubies
end

# sig/ beside what the extension defines: every method, and how many arguments it takes.
RSpec.describe "the signatures of the native code", skip: defined?(RBS) ? false : "no rbs here" do
  # Since RBS 3 a file has more than declarations.
  def declarations
    parsed = RBS::Parser.parse_signature(File.read(File.expand_path("../../sig/footplate/native.rbs", __dir__)))
    parsed.flatten.grep(RBS::AST::Declarations::Module).first.members.find { |it| it.name.name == :Native }
  end

  def methods_of(declaration)
    methods = declaration.members.grep(RBS::AST::Members::MethodDefinition)
    methods.to_h { |it| [[it.name, it.kind], arity(it)] }
  end

  # What RBS 3 calls otherwise.
  def arity(method)
    overload = method.respond_to?(:overloads) ? method.overloads.first.method_type : method.types.first
    overload.type.required_positionals.size
  end

  def defined_in(object)
    instance = object.is_a?(Class) ? object.instance_methods(false).map { |it| [it, :instance] } : []
    methods = instance + object.singleton_methods(false).map { |it| [it, :singleton] }
    methods.to_h do |name, kind|
      [[name, kind], (kind == :instance ? object.instance_method(name) : object.method(name)).arity]
    end
  end

  it "are those that it has", :aggregate_failures do
    native = declarations
    expect(methods_of(native)).to eq(defined_in(Footplate::Native))
    classes = native.members.grep(RBS::AST::Declarations::Class)
    expect(classes.map { |it| it.name.name }).to match_array(Footplate::Native.constants - %i[VERSION])
    classes.each do |declaration|
      defined = defined_in(Footplate::Native.const_get(declaration.name.name))
      expect(methods_of(declaration)).to eq(defined), declaration.name.name.to_s
    end
  end
end
