using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Gateway.Foundation.Configuration;

/// <summary>
/// The meaning of settings: the XML documentation of the option classes, which the build puts beside the program.
/// </summary>
internal sealed class SettingDocumentation
{
    private readonly Dictionary<string, string> _summaries;

    private SettingDocumentation(Dictionary<string, string> summaries) => _summaries = summaries;

    /// <summary>Reads the documentation of the assembly that a section's class is in.</summary>
    /// <exception cref="ProblemException">The file does not exist or is not the compiler's.</exception>
    public static SettingDocumentation Load(SectionType section)
    {
        var path = Path.Combine(AppContext.BaseDirectory, section.OptionsClass.Assembly.GetName().Name + ".xml");
        try
        {
            return new SettingDocumentation(XDocument.Load(path).Descendants("member")
                .Where(static member => member.Element("summary") is not null)
                .ToDictionary(
                    static member => member.Attribute("name")!.Value,
                    static member => Flatten(member.Element("summary")!),
                    StringComparer.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or XmlException)
        {
            throw new ProblemException(new Problem(
                path,
                "the meaning of the settings cannot be read",
                null,
                "The file is part of the program: build or install the program again."));
        }
    }

    /// <summary>The meaning of a setting, on one line, code in backticks.</summary>
    public string SummaryOf(Setting setting) =>
        _summaries.GetValueOrDefault($"P:{setting.Property.DeclaringType!.FullName}.{setting.Property.Name}", "");

    /// <summary>The meaning of a section, on one line, code in backticks.</summary>
    public string SummaryOf(SectionType section) =>
        _summaries.GetValueOrDefault($"T:{section.OptionsClass.FullName}", "");

    private static string Flatten(XElement element)
    {
        var text = new StringBuilder();
        foreach (var node in element.Nodes())
        {
            text.Append(node switch
            {
                XText plain => plain.Value,
                XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
                XElement { Name.LocalName: "see" } see => $"`{NameIn(see)}`",
                XElement other => Flatten(other),
                _ => "",
            });
        }

        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    private static string NameIn(XElement see)
    {
        var name = see.Attribute("cref")?.Value ?? see.Attribute("langword")?.Value ?? see.Value;
        return SettingText.KeyOf(name[(name.LastIndexOfAny(['.', ':']) + 1)..]);
    }
}
