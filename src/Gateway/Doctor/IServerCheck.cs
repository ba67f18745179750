using Gateway.Client.Doctor;

namespace Gateway.Doctor;

/// <summary>One concern of the server's side. Harmless: it changes nothing.</summary>
internal interface IServerCheck
{
    /// <summary>The area of its problems: <c>TLS</c>.</summary>
    string Area { get; }

    /// <summary>What it looks at, for people.</summary>
    string Subject { get; }

    /// <summary>Checks, and notes what it finds. An exception is noted as a check that could not run.</summary>
    Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken);
}
