using Gateway.Foundation.Trust;

namespace Gateway.Client.Trust;

/// <summary>What <c>gateway trust</c> prints.</summary>
internal static class TrustText
{
    /// <summary>The authority, so that a person can compare it.</summary>
    public static void WriteAuthority(PrivateAuthority authority, TextWriter output)
    {
        foreach (var certificate in authority.Certificates)
        {
            output.WriteLine($"authority   {OneLine(certificate.Subject)}");
            output.WriteLine($"SHA-256     {PrivateAuthority.FingerprintOf(certificate)}");
            output.WriteLine($"valid       {PrivateAuthority.ValidityOf(certificate)}");
        }

        output.WriteLine(
            "Compare the fingerprint with one that you got in another way: a call, a letter, the machine that runs the "
                + "registry.");
    }

    /// <summary>Instructions for people.</summary>
    public static void WriteGuide(IEnumerable<TrustSection> sections, TextWriter output)
    {
        foreach (var section in sections)
        {
            output.WriteLine();
            output.WriteLine($"== {section.Title}");
            foreach (var part in section.Parts)
            {
                WritePart(part, output);
            }
        }
    }

    /// <summary>The plan.</summary>
    public static void WritePlan(TrustPlan plan, TextWriter output)
    {
        output.WriteLine();
        foreach (var step in plan.Steps)
        {
            output.WriteLine(step.Action switch
            {
                TrustAction.Keep => $"keep     {step.Path} ({step.Client}): {step.Note}",
                TrustAction.Replace =>
                    $"replace  {step.Path} ({step.Client}): {OneLine(step.Note!)}; it is kept "
                    + $"as {Path.GetFileName(step.Path)}.before-trust",
                _ => $"write    {step.Path} ({step.Client})",
            });
        }

        if (plan.Command is { } command)
        {
            output.WriteLine($"run      {command}");
        }

        foreach (var part in plan.Notes)
        {
            WritePart(part, output);
        }

        foreach (var part in plan.ByHand)
        {
            WritePart(part with { Text = "To do by hand: " + part.Text }, output);
        }
    }

    private static void WritePart(TrustPart part, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine(part.Text);
        foreach (var line in part.Block?.TrimEnd('\n').Split('\n') ?? [])
        {
            output.WriteLine(line.Length == 0 ? "" : "    " + line);
        }
    }

    // A certificate's subject may hold any text.
    private static string OneLine(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));
}
