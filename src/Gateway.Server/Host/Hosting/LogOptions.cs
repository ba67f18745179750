namespace Gateway.Server.Host.Hosting;

/// <summary>The program's own log, on standard output.</summary>
public sealed class LogOptions
{
    /// <summary>The lowest level that is written.</summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>One line of text or one JSON object for each entry.</summary>
    public LogFormat Format { get; set; } = LogFormat.Text;
}

/// <summary>How a log entry is written.</summary>
public enum LogFormat
{
    /// <summary>One line for a person.</summary>
    Text,

    /// <summary>One JSON object per line.</summary>
    Json,
}
