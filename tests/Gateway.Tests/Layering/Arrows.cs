using System.Reflection;
using System.Text.RegularExpressions;
using Gateway.Tests.Support;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Gateway.Tests.Layering;

/// <summary>
/// Who uses what: from the compiled assemblies, and from the <c>using</c> lines, since the compiler leaves no trace of
/// a constant's home.
/// </summary>
internal static partial class Arrows
{
    private static readonly string[] Assemblies =
        ["Gateway.Core", "Gateway.Foundation", "Gateway.Server", "Gateway.Client", "gateway"];

    /// <summary>Every arrow between two wings, once for each pair of types.</summary>
    public static IReadOnlyList<Arrow> OfAssemblies() =>
        [.. Assemblies.SelectMany(static name => OfAssembly(Assembly.Load(name).Location)).Distinct()];

    /// <summary>Every arrow between two wings that a <c>using</c> line draws.</summary>
    public static IReadOnlyList<Arrow> OfUsings()
    {
        var source = Path.Combine(RepositoryRoot.Path, "src");
        return
        [
            .. from file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
               where !file.Contains("/obj/", StringComparison.Ordinal)
                   && !file.Contains("/bin/", StringComparison.Ordinal)
               let text = File.ReadAllText(file)
               let home = Namespace().Match(text)
               where home.Success
               from line in Using().Matches(text)
               from arrow in Between(home.Groups[1].Value, line.Groups[1].Value, Path.GetRelativePath(source, file))
               select arrow,
        ];
    }

    private static IEnumerable<Arrow> Between(string home, string used, string user) =>
        Wing.Find(home) is { } from && Wing.Find(used) is { } to && from != to ? [new Arrow(from, to, user, used)] : [];

    private static IEnumerable<Arrow> OfAssembly(string path)
    {
        using var assembly = AssemblyDefinition.ReadAssembly(path);
        foreach (var type in assembly.MainModule.GetTypes())
        {
            var home = Outermost(type);
            foreach (var used in Uses(type).Select(Outermost).Distinct())
            {
                foreach (var arrow in Between(home.Namespace, used.Namespace, home.FullName))
                {
                    yield return arrow with { Used = used.FullName };
                }
            }
        }
    }

    private static IEnumerable<TypeReference> Uses(TypeDefinition type) =>
    [
        .. Parts(type.BaseType),
        .. type.Interfaces.SelectMany(static one => Parts(one.InterfaceType)),
        .. type.Fields.SelectMany(static field => Parts(field.FieldType)),
        .. type.CustomAttributes.SelectMany(static one => Parts(one.AttributeType)),
        .. type.Properties.SelectMany(static one => one.CustomAttributes).SelectMany(
            static one => Parts(one.AttributeType)),
        .. type.GenericParameters.SelectMany(static one => one.Constraints).SelectMany(
            static one => Parts(one.ConstraintType)),
        .. type.Methods.SelectMany(Uses),
    ];

    private static IEnumerable<TypeReference> Uses(MethodDefinition method)
    {
        foreach (var part in Parts(method))
        {
            yield return part;
        }

        if (!method.HasBody)
        {
            yield break;
        }

        var operands = method.Body.Instructions.Select(static one => one.Operand)
            .Concat(method.Body.ExceptionHandlers.Select(static one => one.CatchType))
            .Concat(method.Body.Variables.Select(static (VariableDefinition one) => one.VariableType));
        foreach (var part in operands.SelectMany(static operand => operand switch
        {
            MethodReference called => Parts(called).Concat(Parts(called.DeclaringType)),
            FieldReference field => Parts(field.FieldType).Concat(Parts(field.DeclaringType)),
            TypeReference named => Parts(named),
            _ => [],
        }))
        {
            yield return part;
        }
    }

    private static IEnumerable<TypeReference> Parts(MethodReference method) =>
    [
        .. Parts(method.ReturnType),
        .. method.Parameters.SelectMany(static one => Parts(one.ParameterType)),
        .. method is GenericInstanceMethod generic ? generic.GenericArguments.SelectMany(Parts) : [],
    ];

    // Of List<Reloadable<X>[]>: List, Reloadable and X.
    private static IEnumerable<TypeReference> Parts(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Parts)],
        TypeSpecification wrapped => Parts(wrapped.ElementType),
        _ => [type],
    };

    private static TypeReference Outermost(TypeReference type) =>
        type.DeclaringType is { } outer ? Outermost(outer) : type;

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using (?:static |\w+ = )?(Gateway[\w.]*)", RegexOptions.Multiline)]
    private static partial Regex Using();
}
