namespace Gateway.Client.Doctor;

/// <summary>What is known about a problem in general: the page <c>docs/problems/ID.md</c>.</summary>
internal sealed class ProblemPage
{
    /// <summary><c>TLS004</c>.</summary>
    public string Id { get; set; } = "";

    /// <summary>A sentence without a full stop.</summary>
    public string Title { get; set; } = "";

    /// <summary>What it means, and what people see of it.</summary>
    public string Means { get; set; } = "";

    /// <summary>What causes it, the most frequent first.</summary>
    public List<string> Causes { get; set; } = [];

    /// <summary>What helps, in order; commands are in backquotes.</summary>
    public List<string> Fix { get; set; } = [];

    /// <summary>Where it is described further, from the folder of the documentation.</summary>
    public List<string> See { get; set; } = [];
}
