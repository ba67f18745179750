namespace Gateway.Server.Requests.Pipeline;

/// <summary>A part that is no file and no registry, as <c>/readyz</c> shows it.</summary>
internal interface IHealthPart
{
    /// <summary>Its key in the answer: <c>state</c>.</summary>
    string Name { get; }

    /// <summary>Whether it works. Where not, the gateway is degraded, but not unready unless it is essential.</summary>
    bool IsUp { get; }

    /// <summary>Whether the gateway can serve nobody without it. Then it is unready while this is down.</summary>
    bool IsEssential => false;
}
