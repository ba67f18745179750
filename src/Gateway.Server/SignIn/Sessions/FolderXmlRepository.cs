#pragma warning disable CA1416 // the gateway runs on Linux
using System.Xml.Linq;
using Gateway.Foundation.Files;
using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Gateway.Server.SignIn.Sessions;

/// <summary>Keys as files that only the gateway may read.</summary>
/// <remarks>The framework's own repository creates its folder with the rights that the process's mask leaves.</remarks>
internal sealed class FolderXmlRepository(string folder) : IXmlRepository
{
    /// <inheritdoc/>
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        try
        {
            return Directory.Exists(folder)
                ? [
                    .. Directory.EnumerateFiles(folder, "*.xml")
                        .Order(StringComparer.Ordinal)
                        .Select(static file => XElement.Load(file)),
                ]
                : [];
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or System.Xml.XmlException)
        {
            throw new StateException($"{folder}: the session keys cannot be read: {exception.Message}", exception);
        }
    }

    /// <inheritdoc/>
    public void StoreElement(XElement element, string friendlyName)
    {
        try
        {
            DurableFolder.Create(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var path = Path.Combine(folder, $"{friendlyName}.xml");
            using var content = new MemoryStream();
            element.Save(content);
            // On the disk before a cookie is encrypted with it.
            AtomicFile.Write(
                path, content.GetBuffer().AsSpan(0, (int)content.Length),
                UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"{folder}: a session key cannot be written: {exception.Message}", exception);
        }
    }
}
