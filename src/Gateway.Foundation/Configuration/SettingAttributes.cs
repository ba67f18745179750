namespace Gateway.Foundation.Configuration;

/// <summary>The setting must be present and not empty.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class RequiredSettingAttribute : Attribute;

/// <summary>
/// The setting is a path; relative ones are relative to the configuration file's folder, and bound absolute.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PathSettingAttribute : Attribute;

/// <summary>
/// The setting is a secret: never printed, and also accepted as <c>…File</c>, the path of a file that holds it
/// (Docker and Kubernetes secrets; one trailing line break is dropped).
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretSettingAttribute : Attribute;
